"""Which addresses are the company's own, so that a reply may send a customer there."""

from __future__ import annotations

import pytest

from copilot.reading import hosts, is_own


@pytest.mark.parametrize(
    ("article", "link"),
    [
        ("https://help.company.example/a", "https://help.company.example/b"),
        ("https://help.company.example/a", "(https://shop.Company.example./b)"),
        ("https://help.company.example/a", "https://company.example"),
        ("https://company.example/a", "https://help.company.example"),
        ("https://help.company.co.uk/a", "https://shop.company.co.uk"),
        ("https://help.company.app/a", "https://my.company.app"),
        ("https://company.zendesk.com/hc/a", "https://company.zendesk.com/hc/b"),
        ("https://company.github.io/a", "https://company.github.io/b"),
        ("https://help.company.com.br/a", "https://company.com.br"),
        ("https://intercom.help/company/en/articles/1", "https://intercom.help/Company/en/articles/2"),
        ("https://intercom.help/company/en/articles/1", "<https://intercom.help/company.>"),
        ("https://10.0.0.5/a", "https://10.0.0.5/b"),
        ("https://help.company.example/a", "https://shop.company.example,"),
        ("https://help.company.example/a", "https://shop.company.example;"),
        ("https://help.company.example/a", "https://shop.company.example**"),
    ],
)
def test_a_link_to_the_hosts_of_the_articles_and_their_siblings_is_the_companys(article: str, link: str) -> None:
    assert is_own(link, hosts([article]))


@pytest.mark.parametrize(
    "provider",
    "zendesk.com intercom.help freshdesk.com atlassian.net github.io notion.site helpscoutdocs.com gitbook.io co.uk com.br "
    "blogspot.com netlify.app pages.dev s3.amazonaws.com myshopify.com".split(),
)
def test_a_provider_of_many_companies_is_nobodys(provider: str) -> None:
    own = hosts([f"https://company.{provider}/a", None, "", "company"])
    assert is_own(f"https://company.{provider}/b", own)
    assert is_own(f"https://www.company.{provider}/b", own)
    for link in (f"https://other.{provider}", f"https://{provider}/other", f"https://notcompany.{provider}"):
        assert not is_own(link, own)
        assert not is_own(f"https://other.{provider}", hosts([f"https://{provider}/company/a"]))


@pytest.mark.parametrize(
    ("article", "link"),
    [
        ("https://help.company.example/a", "https://othercompany.example"),
        ("https://help.company.example/a", "https://help.company.example.evil.example"),
        ("https://help.company.example/a", "https://help.company.example@evil.example"),
        ("https://help.company.example/a", "https://help.company.example,.evil.example"),
        ("https://help.company.example/a", "https://evil.example\\@help.company.example/"),
        ("https://help.company.example/a", "https://[help.company.example"),
        ("https://intercom.help/company/en", "https://intercom.help/other/en"),
        ("https://github.com/company/docs", "https://github.com/other/docs"),
        ("https://10.0.0.5/a", "https://99.0.0.5/a"),
        ("https://help.company.example/a", "https://help.company.example,evil.example"),
    ],
)
def test_a_link_to_anybody_else_is_not(article: str, link: str) -> None:
    assert not is_own(link, hosts([article]))
