"""`dealdesk serve` as somebody sets it up: tokens in an .env file, logins in company.toml, other servers' addresses."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes import slack as slack_fake
from tests.fakes import telegram as telegram_fake
from tests.fakes.slack import FakeSlack
from tests.fakes.telegram import FakeTelegram

ROOT = Path(__file__).parents[1]
COMPANY = """
name = "Brightwater"
[[person]]
id = "raj"
name = "Raj Patel"
role = "manager"
logins = { slack = "U2" }
[[person]]
id = "tom"
name = "Tom Becker"
role = "rep"
manager = "raj"
logins = { telegram = "77" }
"""
POLICY = '[[rule]]\nname = "Discount above 15 %"\nask = "manager"\ndiscount_over = 15\n'


@pytest.fixture
def telegram() -> Iterator[FakeTelegram]:
    service = FakeTelegram()
    service.person(77, "Tom")
    yield service
    service.close()


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    service = FakeSlack(mode="socket").start()
    service.person("U2")
    yield service
    service.stop()


def test_an_order_said_on_telegram_is_approved_on_slack(
    tmp_path: Path, telegram: FakeTelegram, slack: FakeSlack
) -> None:
    (tmp_path / "company.toml").write_text(COMPANY, encoding="utf-8")
    (tmp_path / "policy.toml").write_text(POLICY, encoding="utf-8")
    (tmp_path / "p.csv").write_text("name,list_price,aliases\nPro seat,25,Pro seats\n", encoding="utf-8")
    (tmp_path / "c.csv").write_text("name,owner\nAcme Corp,tom\n", encoding="utf-8")
    (tmp_path / ".env").write_text(
        f"DEALDESK_TELEGRAM_TOKEN={telegram_fake.TOKEN}\nDEALDESK_TELEGRAM_API_URL={telegram.url}\n"
        f"DEALDESK_SLACK_BOT_TOKEN={slack_fake.BOT_TOKEN}\nDEALDESK_SLACK_APP_TOKEN={slack_fake.APP_TOKEN}\n"
        f"DEALDESK_SLACK_API_URL={slack.api_url}\nDEALDESK_PORT=0\n",
        encoding="utf-8",
    )
    clean = {key: value for key, value in os.environ.items() if not key.startswith("DEALDESK_")}
    run = {"cwd": tmp_path, "env": {**clean, "PYTHONPATH": str(ROOT)}, "text": True}
    for what, file in (("products", "p.csv"), ("customers", "c.csv")):
        subprocess.run([sys.executable, "-m", "bot", "import", what, file], check=True, capture_output=True, **run)  # type: ignore[call-overload]  # noqa: S603
    served = subprocess.Popen([sys.executable, "-m", "bot", "serve"], stdout=subprocess.PIPE, **run)  # type: ignore[call-overload]
    try:
        assert served.stdout is not None
        while "listens on" not in (line := served.stdout.readline()):
            assert line, "serve did not come up"
        telegram.types(77, "order 50 Pro seats for Acme at $20")
        telegram.presses(77, "Submit", telegram.said(77, "draft"))
        telegram.said(77, "waiting for approval")
        card = slack.wait(lambda: next((m for m in slack.standing(slack.direct("U2")) if "Order #1" in str(m)), None))
        slack.press("U2", card, "Approve")
        telegram.said(77, "Approved by Raj Patel")
    finally:
        served.send_signal(signal.SIGINT)
        assert served.wait(30) == 0
        served.stdout.close()
