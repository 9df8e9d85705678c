"""Each format's text, and what is said of a file that cannot be read."""

from __future__ import annotations

import logging
import time
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pypdf import PdfReader, PdfWriter
from reportlab.pdfgen.canvas import Canvas

from copilot.errors import UnreadableFile
from copilot.text import normalise
from ingest import clean as formats
from ingest.charset import likely
from ingest.clean import clean, decode, html, markdown, txt
from ingest.marks import counted


def _pdf(*pages: str) -> bytes:
    file = BytesIO()
    canvas = Canvas(file)
    for page in pages:
        lines = canvas.beginText(72, 720)
        lines.textLines(page)
        canvas.drawText(lines)
        canvas.showPage()
    canvas.save()
    return file.getvalue()


def _locked(data: bytes, password: str) -> bytes:
    writer = PdfWriter(clone_from=PdfReader(BytesIO(data)))
    writer.encrypt(user_password=password, owner_password="owner", algorithm="RC4-128")
    file = BytesIO()
    writer.write(file)
    return file.getvalue()


# ---- markdown ----


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("# Title\n\nText\n\n### Deep", "# Title\n\nText\n\n### Deep"),
        ("Setext\n---\n\nText", "## Setext\n\nText"),
        ("wrapped\nonto *two* **lines** and `code`", "wrapped onto two lines and code"),
        ("hard  \nbreak", "hard\nbreak"),
        ("* a\n* b\n\n* c", "- a\n- b\n- c"),
        ("3. a\n   - b\n     - c\n4. d", "3. a\n  - b\n    - c\n4. d"),
        ("1. a\n\n   more of a\n2. b", "1. a\n  more of a\n2. b"),
        ("- a\n\ntext\n\n- b", "- a\n\ntext\n\n- b"),
        ("| A | B |\n|---|--:|\n| 1 | **2** |", "A | B\n1 | 2"),
        ("```sh\nls   .\n\n  cd x\n```", "ls   .\n\n  cd x"),
        ("[text](http://a.example/b) <https://c.example/d_e_f>", "text https://c.example/d_e_f"),
        ("[https://c.example/d](https://c.example/d)", "https://c.example/d"),
        ("[https://c.example/a.../z](https://c.example/abc/z)", "https://c.example/abc/z"),
        ("[mail us](mailto:a@b.example?subject=Two words)", "mail us"),
        ("a ![the picture](x.png) b", "a b"),
        ("Click the button ![icon](x.png), then ![](y.png).", "Click the button, then."),
        ("Run `git add .` now", "Run git add . now"),
        ("AT&amp;T &lt;b&gt; &copy;", "AT&T <b> ©"),
        ("> quoted\n> words", "quoted words"),
        ("costs ~~50~~ 60 euros", "costs 60 euros"),
        ("Go to [win,mac: ☰ > Settings] [linux: Edit].", "Go to [win,mac: ☰ > Settings] [linux: Edit]."),
        ("1. a\n\n[win: ![](x.png)   \n  \n] [mac: \n ]\n  2. b", "1. a\n2. b"),
        ("choose <account name> > <email>", "choose <account name> > <email>"),
        ("<account name>", "<account name>"),
        ("Use the <script> tag or the <title> tag, <b>please</b>", "Use the <script> tag or the <title> tag, please"),
        (r'"C:\Users\<login>\Profiles\" or **%APPDATA%\x\**', r'"C:\Users\<login>\Profiles\" or %APPDATA%\x' + "\\"),
        (r"1\. not a list, 5 \* 3", "1. not a list, 5 * 3"),
        ("**Bold **— that failed", "Bold — that failed"),
        ("text\n\n     * a list\n     * too deep", "text\n\n- a list\n- too deep"),
        ("a\n\n---\n\nb", "a\n\nb"),
        ("x<br>y", "x\ny"),
        ("lone \ud800 surrogate", "lone \ufffd surrogate"),
        ("10<sup>6</sup> H<sub>2</sub>O", "10^6 H2O"),
    ],
)
def test_markdown_becomes_plain_structured_text(source: str, text: str) -> None:
    assert markdown(source) == text


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ('!!! warning "Mind it"\n\n    At most 40.\n\n    1. One\n\nAfter.', "Warning: Mind it. At most 40.\n\n1. One\n\nAfter."),
        ("??? note\n    Folded.\nAfter.", "Note: Folded. After."),
        ('=== "Linux"\n\n    ``` sh\n    apt  install\n    ```\n\n=== "Mac"\n\n    Open it.', "Linux:\n\napt  install\n\nMac: Open it."),
        (":::danger Careful\nDo not.\n:::\n\n:::note[Title]\nDo.\n:::", "Danger: Careful. Do not.\n\nNote: Title. Do."),
        ("import Tabs from '@theme/Tabs';\n\n<Tabs>\n<TabItem value=\"m\" label=\"Mac\">\n\nRun it.\n\n</TabItem>\n</Tabs>", "Mac\n\nRun it."),
        ("> [!WARNING]\n> Never open it.", "Warning: Never open it."),
        ("{{< notice >}}\nClose it.\n{{% /notice %}}\n\nSee [pairs]({{< ref \"p.md\" >}}).", "Close it.\n\nSee pairs."),
        ('{% include note.html content="Hold close." %}\n\n* TOC\n{:toc}\n\n## Pair {#pair}\n\n1. Tap.\n{: .x}', "Hold close.\n\n## Pair\n\n1. Tap."),
        ('{{< tabs >}}\n{{< tab "A" >}}\nDo A.\n{{< /tab >}}\n{{< /tabs >}}', "A: Do A."),
        ("{% highlight sh %}\nhub  list\n{% endhighlight %}", "hub  list"),
        ("```\n!!! note\n:::tip\n{{< x >}}\n```", "!!! note\n:::tip\n{{< x >}}"),
        ("Dear {{customer.name}},\n\n{% if late %}\nSorry.\n{% endif %}", "Dear {{customer.name}},\n\n{% if late %} Sorry. {% endif %}"),
        ("Write to\n\n<Account name>\n\nand\nimport contacts from 'Outlook'", "Write to\n\n<Account name>\n\nand import contacts from 'Outlook'"),
    ],
)  # fmt: skip
def test_what_generators_of_sites_add_to_markdown_is_not_in_the_text(source: str, text: str) -> None:
    assert clean(source.encode(), ".md") == text


XML = "<Configuration>\n  <Port>80</Port>\n</Configuration>"


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (f"So:\n\n    {XML.replace(chr(10), chr(10) + '    ')}", f"So:\n\n{XML}"),
        (XML, "<Configuration> <Port>80</Port> </Configuration>"),
        ("Write `{{< figure >}}` or `a`.{{< br >}}", "Write {{< figure >}} or a."),
        ("So:\n\n    {{< figure >}}", "So:\n\n{{< figure >}}"),
        ("Put this at the top:\n\nimport App from './App'", "Put this at the top:\n\nimport App from './App'"),
        ("import Key from './Key'\n\n# Top\n\n<Key>\nPress.\n</Key>\n\nimport M from './_m.mdx'\n\n<M />", "# Top\n\nPress."),
    ],
)  # fmt: skip
def test_code_that_looks_like_what_generators_add_stays(source: str, text: str) -> None:
    assert clean(source.encode(), ".md") == text


@pytest.mark.parametrize(
    "source",
    [
        "seen <!-- secret --> seen",
        "seen\n\n<!-- secret\n\nsecret -->\n\nseen",
        "seen <script>secret()</script>",
        "seen\n\n<script>\nsecret()\n</script>",
        "seen\n\n<style>\n.secret {}\n</style>",
        'seen <span style="Display : None">secret</span>',
        'seen <span style="font-size: 0">secret</span>',
        "seen <span hidden>secret</span>",
        "seen\n\n<div hidden>\n\n**secret**\n\n</div>",
        '<div style="display:none"><div>secret</div> secret</div> seen',
        "seen <template>secret</template>",
        "seen ![secret](x.png)",
        "[seen](https://a.example/secret)",
    ],
)
def test_what_a_reader_does_not_see_is_not_in_the_text(source: str) -> None:
    text = markdown(source)
    assert "seen" in text
    assert "secret" not in text


@pytest.mark.parametrize(
    "source", ["a\u200bb", "a&#8203;b", "a&#x202e;b", "a\x00b", "a&#xE0041;b", "a&shy;b", "a&#xFEFF;b"]
)
def test_invisible_characters_are_taken_out_however_they_are_written(source: str) -> None:
    assert markdown(source) == "ab"


@pytest.mark.parametrize("source", ["```\n# comment\n```", "\\# no heading", "a<br># b", "&#35; no heading"])
def test_only_headings_look_like_headings(source: str) -> None:
    assert not any(line.startswith("#") for line in markdown(source).split("\n"))


def test_a_heading_too_long_to_be_one_is_a_paragraph() -> None:
    assert markdown("# " + "long " * 60) == ("long " * 60).strip()


@given(st.text(st.sampled_from("ab1#*_`-+>|~[]()<>!&;:/\\\"'= \n\t\u200bé"), max_size=80))
def test_any_markdown_gives_normalised_text(source: str) -> None:
    text = markdown(source)
    assert text == normalise(text).strip("\n")
    assert "\n\n\n" not in text


# ---- HTML ----

PAGE = """<html lang="en"><head><title>Return an item | Shop</title></head><body>
<nav><a href="/">Home of the shop</a> <a href="/all">All articles</a></nav>
<main><article><h1>Return an item</h1>
<p>You can return <b>any item</b> within 30 days. Use <code>&lt;order&gt;</code> &amp; see <a href="/r">returns</a>.</p>
<p style="display:none">secret words</p>
<h2>Steps</h2><ol start="3"><li>Open <i>Orders</i>.<ul><li>The newest is on top.</li></ul></li><li>Click Return.</li></ol>
<table><tr><th>Plan</th><th>Days</th></tr><tr><td>Basic</td><td>30</td></tr></table>
<div class="warning">Do not return <b>opened</b> food.</div>
<p>More: <a href="/a">All about returns</a>, <a href="/b">refunds</a>. Then click <button>Send</button>.</p>
<pre>first line
# second line</pre></article></main>
<footer>Copyright, imprint and cookies</footer></body></html>"""


def test_a_page_gives_its_main_content_with_its_structure() -> None:
    assert html(PAGE) == (
        "# Return an item\n\nYou can return any item within 30 days. Use <order> & see returns.\n\n## Steps\n\n"
        "3. Open Orders.\n  - The newest is on top.\n4. Click Return.\n\nPlan | Days\nBasic | 30\n\n"
        "Do not return opened food.\n\nMore: All about returns, refunds. Then click Send.\n\n"
        "first line\n # second line"
    )


ARTICLE = (
    "<h1>Reset it</h1><p>When it blinks:</p><ol><li>Open the lid.</li><li>Hold the button.</li></ol><h2>Codes</h2>"
    "<table><tr><td>E1</td><td>No power</td></tr></table><p>Then wait.</p><ul><li>One minute</li><li>Or two</li></ul>"
)
ARTICLE_TEXT = (
    "# Reset it\n\nWhen it blinks:\n\n1. Open the lid.\n2. Hold the button.\n\n## Codes\n\nE1 | No power\n\nThen wait.\n\n"
    "- One minute\n- Or two"
)
MENU = "<div class='bar'><a href='/'>Home</a> <a href='/in'>Sign in</a><ul><li><a href='/a'>Bills</a></li></ul></div>"
FOOT = "<div class='end'><p>© Acme, all rights reserved</p></div>"


@pytest.mark.parametrize(
    "body",
    [
        f"{MENU}<div class='wrap'><div class='kb'>{ARTICLE}</div></div>{FOOT}",
        f"{MENU}<div class='wrap'><section class='markdown-body'>{ARTICLE}</section></div>{FOOT}",
        f"{MENU}<div><div>{ARTICLE[:20]}<div>{ARTICLE[20:]}</div></div></div>{FOOT}",
        f"{MENU}<div role='main'>{ARTICLE}</div>{FOOT}",
        ARTICLE,
        f"<div class='WordSection1'>{ARTICLE}</div>",
        f"<nav>Contents</nav>{ARTICLE}<footer>Printed today</footer>",
        f"<p>Switch on scripts.</p>{MENU}<div class='wrap'><div class='kb'>{ARTICLE}</div></div>{FOOT}",
        f"{MENU}<table><tr><td>{MENU}</td><td>{ARTICLE}</td></tr></table>{FOOT}",
        f"<div class='book'><div class='c1'>{ARTICLE[:95]}</div><div class='c2'>{ARTICLE[95:]}</div></div>{FOOT}",
    ],
)
def test_a_page_that_does_not_name_its_main_content_loses_none_of_it(body: str) -> None:
    page = f"<html><head><title>Reset it | Acme</title></head><body>{body}</body></html>"
    assert html(page) == ARTICLE_TEXT


@pytest.mark.parametrize(
    ("inner", "text"),
    [
        ("<table><tr><td>E2<td><p>No net</p><ol><li>Restart it.<li>Call us.</ol><tr><td>E3<td>x<ul><li>y</ul></table>",
         "E2 | No net 1. Restart it. 2. Call us.\nE3 | x y"),
        ("<table><tr><td>E2<td><table><tr><td>a<td>b</table><tr><td>E3<td>c</table>", "E2 | a b\nE3 | c"),
        ("<p>Open until <time>18:00</time>, ask <q>why</q>.</p>", "Open until 18:00, ask why."),
        ("<div><span>A sentence of a page builder.</span></div>", "A sentence of a page builder."),
        ("<div>Words before it.<p>Inside.</p>Words <b>after</b> it.</div>", "Words before it.\n\nInside.\n\nWords after it."),
        ("<h3><button>May I?</button></h3><p>Yes.</p>", "### May I?\n\nYes."),
        ("<ol><li>Run this:<pre>hub reset</pre></li><li>Wait.</li></ol>", "1. Run this:\n  hub reset\n2. Wait."),
        ("<aside class='note'>Never under power.</aside><aside><p>Other pages that may be of use to you.</p></aside>", "Never under power."),
        ("<aside class='product-info'><h3>Facts</h3><ul><li>Weight: 2 kg</li></ul></aside>", "Facts\n\n- Weight: 2 kg"),
        ("<aside class='infobox'><p>Battery: 2 AA</p></aside>", "Battery: 2 AA"),
        ("<aside><dl><dt>Power</dt><dd>5 W</dd></dl></aside><aside class='article-info'><p>Changed by Ann in May.</p></aside>", "Power: 5 W"),
        ("<div><a href='/x'>All the articles that you may read</a></div><div><span>By Ann</span></div><p>End.</p>", "End."),
    ],
)  # fmt: skip
def test_what_the_search_for_main_content_would_lose_is_kept(inner: str, text: str) -> None:
    page = f"<html><body><main><p>Some words before.</p>{inner}<p>Some words after.</p></main></body></html>"
    assert html(page) == f"Some words before.\n\n{text}\n\nSome words after."


@pytest.mark.parametrize(
    ("table", "rows"),
    [
        ("<table><tr><th>Code</th><th>Cause</th></tr><tr><td>E<b>1</b></td><td>No power</td></tr></table>", "Code | Cause\n  E1 | No power"),
        ("<table><caption>Codes</caption><tr><td colspan=2>All</td></tr><tr><td><p>E1</p></td><td><p>No<br>power</p></td></tr></table><p>More.</p>",
         "Codes\n  All\n  E1 | No power\n  More."),
        ("<table><tr><td>E2<ol><li>Wait.</li><li>Call.</li></ol></td><td>Why</td></tr></table>", "E2 1. Wait. 2. Call. | Why"),
        ("<figure class='wp-block-table'><table><tr><td>E1</td><td>No power</td></tr></table></figure>", "E1 | No power"),
        ("<table><tr><td>Only</td></tr><tr><td>frames</td></tr></table>", "Only\n  frames"),
    ],
)  # fmt: skip
def test_a_table_in_an_item_is_more_of_the_item_and_the_list_goes_on(table: str, rows: str) -> None:
    steps = f"<ol><li>Open it.</li><li><p>Look:</p>{table}</li><li>Close it.</li></ol>"
    text = f"1. Open it.\n2. Look:\n  {rows}\n3. Close it."
    assert html(steps) == text
    assert (
        html(f"<html><body><main><h1>Reset</h1><p>First this.</p>{steps}</main></body></html>")
        == f"# Reset\n\nFirst this.\n\n{text}"
    )


def test_a_table_in_an_item_of_markdown_is_more_of_the_item() -> None:
    assert (
        markdown("1. Look\n\n   | a | b |\n   |---|---|\n   | 1 | 2 |\n\n2. Close")
        == "1. Look\n  a | b\n  1 | 2\n2. Close"
    )


def test_what_follows_a_box_stands_under_the_heading_before_the_box() -> None:
    inner = "<h2>Wi-Fi</h2><p>Press it.</p><aside class='product-info'><h3>Facts</h3><p>It weighs 2 kg.</p></aside><p>Then wait a minute.</p>"
    text = "## Wi-Fi\n\nPress it.\n\nFacts\n\nIt weighs 2 kg.\n\nThen wait a minute."
    assert html(inner) == text
    assert html(f"<html><body><main><h1>Hub</h1>{inner}</main></body></html>") == f"# Hub\n\n{text}"


def test_a_page_without_a_heading_gets_its_title() -> None:
    page = "<html><head><title>Refunds</title></head><body><p>A refund takes five days.</p></body></html>"
    assert html(page) == "# Refunds\n\nA refund takes five days."


@pytest.mark.parametrize(
    ("fragment", "text"),
    [
        ("<h2>Refunds</h2><p>Five days.<p>Or six.", "## Refunds\n\nFive days.\n\nOr six."),
        ("<ul><li>a<li>b<ol start=4><li>c</ol></ul>", "- a\n- b\n  4. c"),
        ("<div>a<div>b</div>c</div>", "a\n\nb\n\nc"),
        ("<table><tr><td><p>only</p><ul><li>a</ul></table>", "only\n\n- a"),
        ("<table><tr><td>a<br>b<td><table><tr><td>c<td>d</table></table>", "a b | c d"),
        (
            "<table><tr><td>E2<td>Try:<ol start=3><li>Restart it.<li>Call us.</ol></table>",
            "E2 | Try: 3. Restart it. 4. Call us.",
        ),
        ("<p>just words", "just words"),
        ("no markup & more", "no markup & more"),
        ("<ol><li><pre>x  y\n z</pre>after</ol>", "1. x  y\n   z\n  after"),
        ("lone \ud800 surrogate", "lone \ufffd surrogate"),
        ("<![CDATA[x]]><?php y ?><p>z", "z"),
    ],
)
def test_a_fragment_is_taken_whole(fragment: str, text: str) -> None:
    assert html(fragment) == text


def test_lists_of_a_page_that_count_in_letters_keep_them() -> None:
    steps = (
        "<ol><li>Open it.<ol type='a'><li>Left.</li><li>Right.</li></ol></li><li>Look."
        "<ol style='list-style-type: lower-roman'><li>Up.</li><li>Down.</li></ol></li></ol><p>Or:</p><ol type=A start=3><li>Repeat step b.</li></ol>"
        "<table><tr><td><ol type=a><li>One</li></ol></td><td>Two</td></tr></table>"
    )
    text = "1. Open it.\n  a) Left.\n  b) Right.\n2. Look.\n  i) Up.\n  ii) Down.\n\nOr:\n\nC) Repeat step b.\n\na) One | Two"
    assert html(steps) == text
    assert html(f"<html><body><main><h1>Hub</h1>{steps}</main></body></html>") == f"# Hub\n\n{text}"


@pytest.mark.parametrize(
    ("number", "kind", "mark"),
    [(26, "a", "z) "), (27, "a", "27. "), (0, "i", "0. "), (14, "I", "XIV) "), (3, "1", "3. ")],
)
def test_marks_that_nobody_would_read_as_numbers_are_numbers(number: int, kind: str, mark: str) -> None:
    assert counted(number, kind) == mark


@pytest.mark.parametrize(
    ("inner", "text"),
    [
        ("<table><tr><th>Plan</th><th>Region</th><th>Price</th></tr><tr><td rowspan=2>Pro</td><td>EU</td><td>10</td></tr>"
         "<tr><td>US</td><td>12</td></tr><tr><td colspan=2>Others</td><td>15</td></tr></table>",
         "Plan | Region | Price\nPro | EU | 10\nPro | US | 12\nOthers | | 15"),
        ("<table><tr><th rowspan=2>Plan</th><th colspan=2>Price</th></tr><tr><th>month</th><th>year</th></tr>"
         "<tr><td>Pro</td><td>1</td><td>9</td></tr></table>",
         "Plan | Price | Price\nPlan | month | year\nPro | 1 | 9"),
        ("<ol><li>Open it.</li><ol><li>Left.</li></ol><li>Close it.</li><p>It clicks.</p><li>Wait.</li></ol>",
         "1. Open it.\n  1. Left.\n2. Close it.\n  It clicks.\n3. Wait."),
        ("<ol><li value=3>Close it.</li><li>Wait.</li></ol>", "3. Close it.\n4. Wait."),
        ("<p>It has 100 m<sup>2<a href='#n1'>[1]</a></sup>.</p>", "It has 100 m2."),
        ("<table><tr><td rowspan=0>Pro</td><td>5</td></tr><tr><td>6</td></tr></table>", "Pro | 5\nPro | 6"),
        ("<p>It is free.</p><p><sup>Above 50 EUR; <a href='#t'>terms</a> apply.</sup></p>", "It is free.\n\nAbove 50 EUR; terms apply."),
        ("<h2>Reset<a class='headerlink' href='#reset'>¶</a></h2><p>It takes 30<sup><a href='#fn1'>1</a></sup> seconds.</p>",
         "## Reset\n\nIt takes 30 seconds."),
        ("<div hidden='until-found'><p>The answer is here.</p></div>", "The answer is here."),
    ],
)  # fmt: skip
def test_a_page_reads_as_it_is_seen(inner: str, text: str) -> None:
    assert html(inner) == text
    page = f"<html><body><main><p>Some words before.</p>{inner}<p>Some words after.</p></main></body></html>"
    assert html(page) == f"Some words before.\n\n{text}\n\nSome words after."


def test_cells_that_reach_too_far_do_not_make_a_page_grow_without_end() -> None:
    wide = "<td rowspan=99999 colspan=99999>x</td>" * 300
    assert len(html(f"<table><tr>{wide}</tr>{'<tr><td>y</td></tr>' * 3000}</table>")) < 50_000
    assert html("<table><tr><td rowspan=0>a</td><td rowspan=x>b</td></tr></table>") == "a | b"


def test_a_term_stands_before_its_definition_and_names_of_tabs_are_left_out() -> None:
    page = (
        "<ul role=tablist><!-- tabs --><li role=tab>Mac</li></ul><div role=tabpanel><p>Press it.</p></div>"
        "<dl><dt>Seat</dt><dd>A user.</dd><dt>Why?</dt><dd><p>So.</p><p>Yes.</p></dd><dt>Empty</dt></dl>"
    )
    assert clean(page.encode(), ".html") == "Press it.\n\nSeat: A user.\n\nWhy? So.\n\nYes.\n\nEmpty"
    panel = "<div role=tab>How do I pay?</div><div class=panel>By card.</div>"
    assert html(f"<div role=tablist><div>{panel}</div></div>") == "How do I pay?\n\nBy card."
    assert "Mac" in clean(b"<div role=tablist><h3>Mac</h3><p>Press it.</p></div>", ".html")


def test_html_that_is_nested_beyond_reason_is_refused() -> None:
    assert html("<div>" * 400 + "deep") == "deep"
    with pytest.raises(UnreadableFile, match="nested more than 500 deep"):
        html("<div><b>" * 50_000 + "deep")


def test_a_page_too_large_to_look_for_its_main_content_is_taken_whole() -> None:
    assert html("<html><body><table><tr>" + "<td>x" * 30_000).count("x") == 30_000


def test_many_hidden_siblings_take_no_quadratic_time() -> None:
    assert html("<p>seen</p>" + "<i hidden>x</i><img>" * 20_000) == "seen"


# ---- plain text ----


def test_wrapped_lines_of_a_text_file_are_joined_and_short_ones_kept() -> None:
    wrapped = "This paragraph was wrapped by an editor at about sixty chars,\nas one can see from the length of its first line.\n"
    assert txt(f"{wrapped}\nName: A\nPort: 993\n") == f"{wrapped.replace(chr(10), ' ').strip()}\n\nName: A\nPort: 993"


def test_lists_and_headings_of_a_text_file_stay_lines() -> None:
    assert txt("# Top\nText\r\n\r\n • one\n * two\n1. three") == "# Top\n\nText\n\n- one\n- two\n1. three"


@pytest.mark.parametrize(
    ("words", "encoding"),
    [
        ("Bitte halten Sie den Knopf zehn Sekunden gedrückt.", "cp1252"),
        ("Prix: 20 € – déjà payé à l’avance.", "cp1252"),
        ("Não é possível trocar a peça.", "latin-1"),
        ("Naïve café, £20 fee, 5 m².", "cp1252"),
        ("¿Qué pasa? ÜBERSICHT", "cp1252"),
        ("Smørrebrød på åen", "cp1252"),
        ("Çok yaşa, şifreyi değiştir.", "cp1254"),
        ("Zażółć gęślą jaźń.", "cp1250"),
    ],
)
def test_a_short_text_that_is_not_utf_8_is_read_right(words: str, encoding: str) -> None:
    assert decode(words.encode(encoding)) == words


@pytest.mark.parametrize(
    ("words", "encoding"),
    [("Привет, как дела?", "cp1251"), ("Καλημέρα κόσμε", "cp1253"), ("Příliš žluťoučký kůň", "cp1250"), ("gedrückt", "cp850"),
     ("日本語です", "shift_jis"), ("gedrückt halten", "mac_roman"), ("Że nie działa", "cp1250")],
)  # fmt: skip
def test_what_is_no_western_text_is_not_taken_for_one(words: str, encoding: str) -> None:
    assert likely(words.encode(encoding)) is None


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "cp1252"])
def test_text_is_decoded_in_the_encoding_that_it_has(encoding: str) -> None:
    words = (
        "Wir prüfen Ihre Anfrage und melden uns so schnell wie möglich bei Ihnen. Mit freundlichen Grüßen, das Büro."
    )
    assert decode(words.encode(encoding)) == words


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"%PDF-1.7 and so on", "it is a PDF: rename it to .pdf"),
        (b"PK\x03\x04 and so on", "it is a zip archive"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00", "it is not a text file"),
        (bytes(range(256)) * 4, "it is not a text file"),
        ("No byte order mark".encode("utf-16-le"), "it is not a text file"),
    ],
)
def test_a_binary_file_with_a_text_suffix_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(UnreadableFile, match=reason):
        clean(data, ".md")


def test_a_stray_nul_in_a_text_file_is_only_dropped() -> None:
    assert (
        clean(b"A long enough line of ordinary words, with one\x00 NUL in the middle of it.", ".txt").count("one NUL")
        == 1
    )


def test_markup_above_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formats, "MAX_CHARS", 10)
    with pytest.raises(UnreadableFile, match="split it into several files"):
        clean(b"more than ten characters", ".md")


# ---- PDF ----


def test_a_pdf_gives_its_pages_texts() -> None:
    text = clean(_pdf("Returns\nItems may be returned\nwithin 30 days.", "• Second page"), ".pdf")
    assert text == "Returns\nItems may be returned\nwithin 30 days.\n\n- Second page"


def test_what_runs_along_through_a_pdf_stands_in_it_once() -> None:
    """Names of the book and the firm once, page numbers never; a sentence goes on over the edge of the page."""
    said = [
        ["A hub links your sensors and lamps, and it"],
        ["needs a dry place in the house.", "Step 2", "Press it."],
        ["Cause", "No power."],
        ["E4 no network", "Cause", "The router is off."],
        ["E5 too warm", "Cause", "Too near an oven.", "Step 5"],
    ]
    pages = [
        "\n".join(["Acme Hub 3 - Manual", *some, "Acme GmbH, all rights reserved.", f"Page {at} of 5"])
        for at, some in enumerate(said, 1)
    ]
    assert clean(_pdf(*pages), ".pdf") == (
        "Acme Hub 3 - Manual\nA hub links your sensors and lamps, and it\nneeds a dry place in the house.\n"
        "Step 2\nPress it.\n\nCause\nNo power.\n\nE4 no network\nCause\nThe router is off.\n\nE5 too warm\nCause\nToo near an oven.\nStep 5\n"
        "Acme GmbH, all rights reserved."
    )


@pytest.mark.parametrize("lines", [["Step {0}"], ["Press {0} times"], ["Same", "Own {0}"]])
def test_pages_of_few_words_lose_no_steps(lines: list[str]) -> None:
    pages = ["\n".join(line.format(at) for line in lines) for at in (1, 2)]
    assert clean(_pdf(*pages), ".pdf") == "\n\n".join(pages)
    assert [f"Step {at}" in clean(_pdf(*(f"Step {at}\nDo it." for at in range(9))), ".pdf") for at in range(9)] == [
        True
    ] * 9


def test_short_pages_that_are_filled_in_alike_keep_their_words() -> None:
    plans = [
        f"Plan {plan}\nPrice per month\n{euros} EUR\nSupport\nMail and phone\nIncluded"
        for plan, euros in zip("ABCD", (10, 20, 35, 50), strict=True)
    ]
    assert clean(_pdf(*plans), ".pdf") == "\n\n".join(plans)


def _framed(pages: list[list[str]], head: str, foot: str) -> bytes:
    """A PDF as programs make it: heads and feet in the margins, written before the text."""
    file = BytesIO()
    canvas = Canvas(file)
    for page in pages:
        canvas.drawString(72, 800, head)
        canvas.drawString(72, 30, foot)
        for number, line in enumerate(page):
            canvas.drawString(72, 740 - 14 * number, line)
        canvas.showPage()
    canvas.save()
    return file.getvalue()


def test_one_line_that_ends_each_of_a_few_short_pages_is_no_foot() -> None:
    plans = [
        [f"Plan {plan}", f"{euros} EUR", "Support by mail"]
        for plan, euros in zip("ABCD", (10, 20, 35, 50), strict=True)
    ]
    alike = "\n\n".join("\n".join(plan) for plan in plans)
    assert clean(_pdf(*("\n".join(plan) for plan in plans)), ".pdf") == alike
    assert clean(_framed(plans, "Acme Hub", "Acme GmbH"), ".pdf") == f"Acme Hub\nAcme GmbH\n{alike}"
    assert clean(_framed(plans, "Acme Hub", "Page 1 of 4"), ".pdf") == f"Acme Hub\n{alike}"


def test_a_pdf_that_only_restricts_printing_is_read() -> None:
    assert clean(_locked(_pdf("Open to all"), ""), ".pdf") == "Open to all"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (_locked(_pdf("Secret"), "password"), "it is encrypted: save a copy without a password"),
        (_pdf("Whole")[:200], "damaged or not a .pdf file"),
        (b"%PDF-1.7\n", "damaged or not a .pdf file"),
        (b"no pdf at all", "damaged or not a .pdf file"),
        (b"", "damaged or not a .pdf file"),
    ],
)
def test_an_unreadable_pdf_says_why(data: bytes, reason: str) -> None:
    with pytest.raises(UnreadableFile, match=reason):
        clean(data, ".pdf")


@pytest.mark.parametrize(("limit", "value"), [("MAX_PAGES", 1), ("MAX_CHARS", 3)])
def test_a_pdf_above_a_limit_is_refused(monkeypatch: pytest.MonkeyPatch, limit: str, value: int) -> None:
    data = _pdf("One page", "Another page")
    monkeypatch.setattr(formats, limit, value)
    with pytest.raises(UnreadableFile, match="split it into several files"):
        clean(data, ".pdf")


def test_the_parsers_noise_is_not_shown(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> None:
    whole = _pdf("Returns")
    damaged = whole.replace(b"startxref\n", b"startxref\n9")
    with caplog.at_level(logging.DEBUG):
        clean(damaged, ".pdf")
        clean(b"https://looks.like/an/address", ".html")
    assert [record.name for record in caplog.records] == []
    assert capfd.readouterr() == ("", "")


def test_a_page_without_frames_is_read_without_its_menu_foot_and_cookie_notice() -> None:
    menu = '<div class="menu"><ul><li><a href="/">Home</a></li><li><a href="/docs">Docs</a></li></ul></div>'
    cookies = '<div id="cookie-banner">We use cookies. <button>Accept</button></div>'
    text = "<h1>Reset</h1><p>Hold the button for six seconds until the lamp blinks twice.</p><p>Then let go of it and wait.</p>"
    page = f'<html><body class="has-sidebar">{menu}{cookies}{text}<div class="footer"><p>© 2024 ACME.</p></div></body></html>'
    said = clean(page.encode(), ".html")
    assert "Hold the button for six seconds" in said
    assert "Then let go" in said
    assert not any(word in said for word in ("Home", "cookies", "ACME"))


@pytest.mark.parametrize("start", [" " * 100_000, "- " * 30_000, "{{< " * 20_000])
def test_a_long_line_with_a_mark_of_a_dialect_is_read_in_time_that_grows_with_it(start: str) -> None:
    started = time.process_time()
    clean(f"{start}{{% note %}}x\n\n[ ] y\n".encode(), ".md")
    assert time.process_time() - started < 20  # 142 s where a pattern was looked for at each place
