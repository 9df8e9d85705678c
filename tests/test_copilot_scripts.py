"""Articles in scripts whose words no space parts: found by any part of their words, and quoted in whole steps, as a person at a terminal gets it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from copilot.clauses import content
from copilot.domain import Channel
from copilot.facts import says_no
from copilot.reading import LINK
from copilot.scripts import count_words, latin, spread, wide
from copilot.text import sentences
from tests.east_asian import CHINESE, JAPANESE
from tests.test_copilot_commands import copilot, parsed
from tests.test_copilot_compose import article, drafted, text


@pytest.fixture(scope="module", params=[CHINESE, JAPANESE], ids=["zh", "ja"])
def home(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with one language's articles."""
    base = tmp_path_factory.mktemp("scripts")
    (base / "docs").mkdir()
    for name, words in request.param.items():
        (base / "docs" / name).write_text(words, encoding="utf-8")
    assert copilot(base / "home", "ingest", str(base / "docs")).returncode == 0
    (base / "home" / "language").write_text("zh" if request.param is CHINESE else "ja", encoding="utf-8")
    return base / "home"


def asked(home: Path, channel: Channel, **messages: str) -> tuple[Any, dict[str, str]]:
    """What is suggested for the message in the language of the home, and its articles."""
    language = (home / "language").read_text(encoding="utf-8")
    made = parsed(copilot(home, "suggest", messages[language], "--channel", channel, "--json"))
    return made, {
        name.removesuffix(".md"): words for name, words in (CHINESE if language == "zh" else JAPANESE).items()
    }


def test_steps_are_told_whole_and_in_order_with_exact_citations_and_no_english_around_them(home: Path) -> None:
    made, articles = asked(
        home,
        "email",
        zh="你好，我忘记密码了，怎么重置密码？",
        ja="パスワードを忘れました。どうすれば再設定できますか？",
    )
    draft = made["draft"]
    lines = [line for line in draft["text"].split("\n") if line]
    steps = [line for line in articles["reset-password"].split("\n") if line[:2] in ("1.", "2.", "3.", "4.")]
    assert lines[1:5] == steps
    assert latin("".join(steps)) is False
    assert not any(line.isascii() for line in lines)
    for statement in draft["statements"]:
        quotes = "".join(citation["quote"] for citation in statement["citations"])
        assert quotes.replace(" ", "") == draft["text"][statement["start"] : statement["end"]].replace(" ", "")
        assert all(citation["quote"] in articles[citation["document_id"]] for citation in statement["citations"])


@pytest.mark.parametrize(
    ("channel", "zh", "ja", "told"),
    [
        ("email", "退款多久能到账？", "返金はいつ届きますか？", {"zh": "5个工作日内", "ja": "5営業日以内"}),
        ("chat", "专业版多少钱一个月？", "プロの月額料金はいくらですか？", {"zh": "39元", "ja": "800円"}),
        ("email", "摄像头红灯一直闪，连不上网", "カメラのランプが赤く点滅する", {"zh": "10秒", "ja": "10秒間"}),
        ("social", "电池能用多久？", "電池はどのくらいもちますか？", {"zh": "12个月", "ja": "12か月"}),
        ("phone", "如何删除账户？", "アカウントを削除したい", {"zh": "14天后", "ja": "14日後"}),
        ("email", "退货的运费谁承担？", "不良品でした。送料はどちらの負担ですか？", {"zh": "由我们承担；否则", "ja": "それ以外の場合、送料800円"}),
    ],
)  # fmt: skip
def test_the_sentence_that_answers_is_told_with_its_conditions(
    home: Path, channel: Channel, zh: str, ja: str, told: dict[str, str]
) -> None:
    made, _ = asked(home, channel, zh=zh, ja=ja)
    assert told[(home / "language").read_text(encoding="utf-8")] in made["draft"]["text"]


def test_a_message_that_shares_no_word_with_any_article_gets_no_draft(home: Path) -> None:
    made, _ = asked(home, "email", zh="今天北京天气怎么样？", ja="今日の東京の天気は？")
    assert (made["status"], made["draft"]) == ("abstained", None)


def test_an_article_is_found_by_a_part_of_its_words(home: Path) -> None:
    language = (home / "language").read_text(encoding="utf-8")
    words = {"zh": "路由器", "ja": "ルーター"}[language]
    found = json.loads(copilot(home, "search", words, "--limit", "1", "--json").stdout)["results"]
    assert [(hit["document_id"], hit["scores"]["lexical"] > 0) for hit in found] == [("wifi", True)]


def test_words_of_other_scripts_are_left_as_they_are() -> None:
    plain = "Déjà vu: naïve Größe, Привет, مرحبا"
    assert spread(plain) == plain
    assert (content("The naïve cafés"), count_words("two  words")) == ({"naïve", "café"}, 2)


def test_two_letters_in_a_row_stand_for_a_word_where_no_space_parts_them() -> None:
    assert spread("重置Wi-Fi密码").split() == ["重置", "Wi-Fi", "密码"]
    assert spread("换 คืนเงิน 환불을").split()[:1] == ["换"]
    assert {"返金", "金日"} <= content("返金日")
    assert (count_words("请重启。"), count_words("请检查Wi-Fi密码。"), count_words("비밀번호를 잊었습니다")) == (
        2,
        4,
        2,
    )
    assert (wide("密码。"), wide("환불"), wide("done."), wide("")) == (True, False, False, False)


def test_a_sentence_does_not_end_in_what_it_quotes() -> None:
    words = "「接続できません。」と表示されます。もう一度試します。出现“错误。”时请重试！（见说明。）完成。"
    assert [words[a:b] for a, b in sentences(words)] == [
        "「接続できません。」と表示されます。", "もう一度試します。", "出现“错误。”时请重试！", "（见说明。）", "完成。",
    ]  # fmt: skip


def test_a_foreign_address_is_taken_out_though_no_space_parts_it_from_the_words() -> None:
    words = "请访问https://evil.example/login查看详情。"
    assert [found[0] for found in LINK.finditer(words)] == ["https://evil.example/login"]
    told = text(
        article(f"## 登录\n\n打开应用并登录。{words}点击保存。", language="zh"), message="怎么登录？", language="zh"
    )
    assert "打开应用并登录。" in told
    assert "evil" not in told


def test_a_denial_is_heard_in_these_scripts_too() -> None:
    assert all(map(says_no, ("不能退款", "返金できません", "환불되지 않습니다", "ไม่สามารถคืนเงินได้")))
    assert not any(map(says_no, ("可以退款", "返金できます", "환불됩니다", "คืนเงินได้")))


def test_a_chat_counts_these_sentences_too() -> None:
    words = "登录账户。进入设置。点击订阅。点击取消。确认取消。"
    draft = drafted(
        article(f"## 取消订阅\n\n{words}", language="zh"), message="怎么取消订阅？", channel="chat", language="zh"
    )
    assert draft is not None
    assert draft.text.count("。") == 3


def test_who_is_written_to_in_english_is_greeted_so_whatever_the_article_is_in() -> None:
    source = article("## 退款\n\n我们在5天内退款，款项退回原银行卡。", language="zh")
    assert text(source, message="退款 refund?", language="en").startswith("Hi Ana,")
    assert text(source, message="退款多久？", language="zh") == "我们在5天内退款，款项退回原银行卡。"


def test_a_thai_and_a_korean_article_are_told_too() -> None:
    thai = "## ตั้งรหัสผ่าน\n\n1. เปิดหน้าเข้าสู่ระบบ\n2. กรอกอีเมล\n3. ตั้งรหัสผ่านใหม่"
    assert text(article(thai, language="th"), message="ลืมรหัสผ่าน", language="th").count("\n") >= 2
    korean = "## 환불\n\n5일 이내에 환불해 드립니다. 30일이 지난 주문은 환불되지 않습니다."
    assert "30일이 지난 주문은 환불되지 않습니다." in text(
        article(korean, language="ko"), message="환불은?", language="ko"
    )
