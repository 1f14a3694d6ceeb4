"""Asks a real Prefect 3.8.8 (Python 3.11) what it makes of the texts of cases.py, and writes golden.json.

    bin/python record.py [golden.json [seed count]]

Every schedule goes the whole way of `prefect deploy`: the model of prefect.yaml, its dump, the client's schedule, the body of the
request, the server's model. Recorded is what was sent and what the server would answer, or null where some stage refused.
Recurrence rules are asked at several times of a made-up clock: where the verdicts differ, "clock" is set, and the record is that of
2024-01-01T00:00:00. Cron fields that draw a number are asked many times; they are recorded as refused unless every draw passes.
"""
import datetime
import json
import os
import pathlib
import random
import sys
import tempfile
import types
import warnings
import zoneinfo

os.environ.setdefault("PREFECT_HOME", tempfile.mkdtemp())
os.environ["TZ"] = "UTC"
warnings.simplefilter("ignore")
zoneinfo.reset_tzpath(to=())

import dateutil.parser._parser
import dateutil.rrule
from prefect._internal.schemas import validators
from prefect.cli.deploy._models import RawScheduleConfig
from prefect.cli.deploy._schedules import _schedule_config_to_deployment_schedule
from prefect.client.schemas.actions import DeploymentScheduleCreate
from prefect.server.schemas.actions import DeploymentScheduleCreate as ServerScheduleCreate

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from cases import cases

CLOCKS = [datetime.datetime(2024, 1, 1), datetime.datetime(2026, 1, 31), datetime.datetime(2026, 2, 5, 13, 37, 41), datetime.datetime(2026, 11, 24, 20, 0, 1)]
clock = CLOCKS[0]


class Meta(type):
    def __instancecheck__(cls, other):
        return isinstance(other, datetime.datetime)


class Clock(datetime.datetime, metaclass=Meta):
    @classmethod
    def now(cls, tz=None):
        return clock if tz is None else clock.replace(tzinfo=datetime.timezone.utc).astimezone(tz)


shim = types.SimpleNamespace(**{name: getattr(datetime, name) for name in dir(datetime) if not name.startswith("_")})
shim.datetime = Clock
dateutil.rrule.datetime = shim
dateutil.parser._parser.datetime = shim
validators.datetime = shim


def deploy(config):
    """The schedule as sent and as the server has it, or None."""
    try:
        dumped = RawScheduleConfig.model_validate(config).model_dump(exclude_unset=True, mode="json")
        made = _schedule_config_to_deployment_schedule(dumped)
        sent = DeploymentScheduleCreate(**made).model_dump(mode="json")["schedule"]
        live = ServerScheduleCreate.model_validate({"schedule": json.loads(json.dumps(sent))}).model_dump(mode="json")["schedule"]
    except Exception:
        return None
    return {"sent": sent, "live": live}


def cron(text):
    draws = 300 if any(c in text for c in "rR") else 1
    results = [deploy({"cron": text}) for _ in range(draws)]
    return None if None in results else results[0]


def anchor(text):
    """The anchor sent and the one kept; the day of this recording is written <today>, and the moment <now>."""
    before = datetime.date.today().isoformat()
    result = deploy({"interval": 60, "anchor_date": text})
    if result is None:
        return None
    today = {before, datetime.date.today().isoformat()}
    place = lambda date: "<now>" if text in ("", "now") else "<today>" + date[10:] if date[:10] in today else date
    return [place(result["sent"]["anchor_date"]), place(result["live"]["anchor_date"])]


def rrule(text):
    global clock
    results = []
    for clock in CLOCKS:
        results.append(deploy({"rrule": text}))
    verdicts = {r is None for r in results}
    if len(verdicts) > 1:
        return {"clock": True, "refused": results[0] is None}
    if results[0] is None:
        return None
    return {"sent": [r["sent"] for r in results], "live": results[-1]["live"]}


def main():
    target = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parent / "golden.json"
    asked = cases(*map(int, sys.argv[2:4]))
    random.seed(7)
    golden = {
        "clocks": [c.isoformat() + "Z" for c in CLOCKS],
        "cron": {t: bool(cron(t)) for t in asked["cron"]},
        "zone": {t: [bool(deploy({"cron": "0 0 * * *", "timezone": t})), bool(deploy({"interval": 60, "timezone": t})), bool(deploy({"rrule": "FREQ=DAILY", "timezone": t}))] for t in asked["zone"]},
        "interval": {t: (r := deploy({"interval": t, "anchor_date": "2020-01-01"})) and [r["sent"]["interval"], r["live"]["interval"]] for t in asked["interval"]},
        "number": [[n, (r := deploy({"interval": n, "anchor_date": "2020-01-01"})) and r["sent"]["interval"], r and r["live"]["interval"]] for n in asked["number"]],
        "anchor": {t: anchor(t) for t in asked["anchor"]},
        "rrule": {t: rrule(t) for t in asked["rrule"]},
        "bodies": [[c, deploy(c)] for c in (
            {"cron": "0 6 * * *"}, {"cron": "0 6 * * *", "timezone": "Europe/Berlin", "day_or": False}, {"cron": "0 6 * * *", "timezone": ""}, {"cron": "@daily", "day_or": True},
            {"interval": "PT10M", "anchor_date": "2022-02-03T04:05:06+02:00"}, {"interval": 90.5, "anchor_date": "2022-02-03", "timezone": "Asia/Tokyo"}, {"interval": 60, "anchor_date": "2022-02-03", "timezone": ""},
            {"rrule": "FREQ=DAILY", "timezone": "Asia/Tokyo"}, {"rrule": "DTSTART:20240101T000000\nRRULE:FREQ=DAILY"}, {"rrule": "FREQ=DAILY;UNTIL=20300101T000000Z"},
            {"rrule": '{"rrule": "FREQ=HOURLY", "timezone": "America/New_York"}'}, {"rrule": '{"rrule": "FREQ=HOURLY", "timezone": "America/New_York"}', "timezone": "Europe/Paris"})],
    }
    # A rule of minutes in zones on either side of UTC: its start is in the zone's wall clock.
    global clock
    clock = CLOCKS[2]
    golden["beats"] = [[rule, zone, deploy({"rrule": rule, "timezone": zone})["sent"]["rrule"]] for rule in ("FREQ=MINUTELY;INTERVAL=7", "FREQ=SECONDLY;INTERVAL=90", "FREQ=MINUTELY;INTERVAL=-7")
                       for zone in ("UTC", "America/New_York", "Asia/Tokyo")]
    target.write_text(json.dumps(golden, indent=0, ensure_ascii=True) + "\n")


if __name__ == "__main__":
    main()
