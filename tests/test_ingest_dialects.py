"""Markdown as documentation tools have it: what CommonMark does not know is read as what it means, and leaves no marks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.clean import clean
from ingest.dialects import common


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("> [!IMPORTANT]\n> Never share it.", "Important: Never share it."),
        ("> [!warning]- Data loss\n> All is gone.", "Warning: Data loss.\nAll is gone."),
        ("> **Note**\n> Prices are net.", "Note: Prices are net."),
        ("> **Note:** Do not unplug it while\n> the lamp blinks.", "Note: Do not unplug it while the lamp blinks."),
        ("> **Error** 403 means no access\n> to the page.", "Error 403 means no access to the page."),
        ("> **Quote** requests go to sales.", "Quote requests go to sales."),
        (":::tip\nTry it first.\n:::\n\nThen go.", "Tip: Try it first.\n\nThen go."),
        (":::danger[Take care]\n\nDo not press.\n\n:::", "Danger: Take care. Do not press."),
        ("::: details Why?\nSo.\n:::", "Why? So."),
        ('!!! warning "Users go"\n    The newest are shut out.\n\n    Export first.\n\nThen go.',
         "Warning: Users go. The newest are shut out.\n\nExport first.\n\nThen go."),
        ("??? note\n    - one\n    - two", "Note:\n\n- one\n- two"),
        ('=== "Windows"\n\n    1. Open it.\n    2. Close it.\n\n=== "Mac"\n\n    Press it.\n\nAfter.',
         "Windows:\n\n1. Open it.\n2. Close it.\n\nMac: Press it.\n\nAfter."),
        ('{% hint style="warning" %}\nNever.\n{% endhint %}', "Warning: Never."),
        ('{% tabs %}\n{% tab title="Web" %}\nClick it.\n{% endtab %}\n{% endtabs %}', "Web: Click it."),
        ("- [ ] Cancel.\n- [x] Export.", "- Cancel.\n- Export."),
        ("Gone after 30 days[^1].\n\n[^1]: Backups go later.", "Gone after 30 days.\n\nBackups go later."),
        ("Apple\n:   A fruit.\n:   A firm.\n\nRefused?\n: Set the clock.", "Apple: A fruit. A firm.\n\nRefused? Set the clock."),
    ],
)  # fmt: skip
def test_what_dialects_add_is_read_as_what_it_means(source: str, text: str) -> None:
    assert clean(source.encode(), ".md") == text


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("{% note %}Do not unplug it.{% endnote %}", "Note: Do not unplug it."),
        ("{{< warning >}}Never open it.{{< /warning >}}", "Warning: Never open it."),
        ('{% hint style="info" %} Only admins see it. {% endhint %}', "Info: Only admins see it."),
        ('{{< expand "More" >}}Text inside.{{< /expand >}}', "More: Text inside."),
        ('{{% alert color="red" %}}Short.{{% /alert %}}', "Short."),
        ('{% tab title="Mac" %}Press Cmd.{% endtab %}\n\nEnd.', "Mac: Press Cmd.\n\nEnd."),
        ("{% hint %}\nOnly admins.{% endhint %}\nMore.", "Hint: Only admins.\n\nMore."),
        ("- {{< note >}}Never.{{< /note >}}\n- Next.", "- Note: Never.\n- Next."),
        ("{% raw %}Write {{ name }} here.{% endraw %}", "Write {{ name }} here."),
        ("{% highlight js %}a(){% endhighlight %}", "a()"),
        ('{% include note.html content="Hold it." %} And more.', "Hold it.\n\nAnd more."),
        ("```\n{% note %}a{% endnote %}\n```", "{% note %}a{% endnote %}"),
    ],
)  # fmt: skip
def test_what_stands_on_one_line_reads_like_the_long_form(source: str, text: str) -> None:
    assert clean(source.encode(), ".md") == text


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("1. Open.\n\n   :::warning\n   Never.\n   :::\n\n1. Close.\n\n1. Go.", "1. Open.\n  Warning: Never.\n2. Close.\n3. Go."),
        ("1. Open.\n\n    !!! warning\n        Never.\n\n1. Close.", "1. Open.\n  Warning: Never.\n2. Close."),
        ('1. Open.\n\n    === "Mac"\n\n        Press it.\n\n1. Close.', "1. Open.\n  Mac: Press it.\n2. Close."),
        ('1. Open.\n\n   <TabItem label="Mac">\n\n   Press it.\n\n   </TabItem>\n\n1. Close.', "1. Open.\n  Mac\n  Press it.\n2. Close."),
        ('{% tabs %}\n    {% tab title="A" %}\n    Do A.\n    {% endtab %}\n{% endtabs %}', "A: Do A."),
    ],
)  # fmt: skip
def test_a_call_out_within_a_list_does_not_end_it(source: str, text: str) -> None:
    assert clean(source.encode(), ".md") == text


@pytest.mark.parametrize(
    "source",
    [
        "??? help me please", "!!! not working", "{% if user %}", "::: what", "[x] bought", "a [!NOTE] inside", "Price: 5\n\n: no term",
        "Use `[^a-z]`, a[^a] and word[^0-9] here.", "```\n[!NOTE]\n!!! note\n- [ ] a\nb[^1]\n: c\n```",
        "~~~~\n```\n:::tip\n~~~~", "- one\n: two", "=== Heading",
    ],
)  # fmt: skip
def test_what_only_looks_like_it_and_code_stay(source: str) -> None:
    assert common(source) == source


@given(st.text('[]!^:=?{%} "-x1>*`~#\nnote', max_size=80))
def test_any_text_is_read(source: str) -> None:
    assert common(common(source)) is not None
