"""Asks the server's own code of a real Prefect 3.8.8 (Python 3.11) for run times, and writes times.json.

    bin/python times.py [times.json [seed count]]

For each schedule, in the form in which the server keeps it, and each of some moments: the first four run times at or after it, in
microseconds since 1970, "error" where the server's code raises, "hang" where it does not answer within some seconds.
"""
import asyncio
import datetime
import json
import os
import pathlib
import random
import signal
import sys
import tempfile
import warnings

os.environ.setdefault("PREFECT_HOME", tempfile.mkdtemp())
os.environ["TZ"] = "UTC"
warnings.simplefilter("ignore")

from prefect.server.schemas.schedules import CronSchedule, IntervalSchedule, RRuleSchedule

UTC = datetime.timezone.utc
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=UTC)
COUNT = 4

# Moments at which the clocks change.
CHANGES = {
    "Europe/Berlin": ["2026-03-29T01:00:00", "2026-10-25T01:00:00", "2027-03-28T01:00:00"],
    "America/New_York": ["2026-03-08T07:00:00", "2026-11-01T06:00:00", "2027-03-14T07:00:00"],
    "Australia/Lord_Howe": ["2026-04-04T15:00:00", "2026-10-03T15:30:00"],
    "America/Santiago": ["2026-04-05T03:00:00", "2026-09-06T04:00:00"],
    "Asia/Kolkata": [],
    "Europe/Dublin": ["2026-03-29T01:00:00","2026-10-25T01:00:00"],
    "Africa/Casablanca": ["2026-02-15T02:00:00","2026-03-22T02:00:00"],
    "Pacific/Apia": [],
    "Antarctica/Troll": ["2026-03-29T01:00:00","2026-10-25T01:00:00"],
    "Africa/Cairo": ["2026-04-23T22:00:00","2026-10-29T21:00:00"],
    "America/Nuuk": ["2026-03-29T01:00:00","2026-10-25T01:00:00"],
    "Pacific/Chatham": ["2026-04-04T14:00:00","2026-09-26T14:00:00"],
    "America/Havana": ["2026-03-08T05:00:00","2026-11-01T05:00:00"],
    "UTC": [],
}
PLAIN = ["2026-11-24T20:52:19.123456", "2024-02-28T23:59:59", "2026-12-31T23:59:30", "2026-01-01T00:00:00", "2025-06-15T12:00:00", "2028-02-29T00:00:01", "2030-07-04T11:22:33"]

CRON = """0 0 * * *|* * * * *|*/15 9-17 * * MON-FRI|@daily|@hourly|@weekly|@monthly|@yearly|30 2 * * *|0 2 * * *|15,45 1-3 * * *|0 * * * *|*/30 * * * *|0 */2 * * *|
0 0 l * *|0 0 l,15 * *|0 0 25-l * *|0 0 * * L5|0 0 * * L0,L6|0 0 * * 5#2|0 0 * * MON#1|0 0 * * mon-wed#2|0 0 * * 1#5|0 0 * * 1#1,1#3|0 0 * * 1#1,L1|0 0 13 * 5|0 0 1,15 * FRI|0 0 1-7 * MON|
0 0 31 * *|0 0 29 2 *|0 0 30 2 *|0 0 31 2 *|0 0 31 4,6,9,11 *|0 0 1-31 * 5|0 0 1-30,l * *|0 0 * * 0-6|0 0 13 * 0-6|0 0 * * 7|0 0 * * 5-7|0 0 * * fri-mon|0 0 * nov-feb/2 *|0 0 * apr-jan/3 *|
0 0 1 * 5#2|0 0 l * 5#2|0 0 ? * *|0 0 * * ?|0 0 15 * ?|59 23 31 12 *|*/7 */5 * * *|50-10/7 * * * *|5/20 * * * *|1,2,3 4,5 6,7 8,9 *|0 0 1 1 0|
* * * * * *|* * * * * */15|0 0 * * * 30|*/5 * * * * 7,37|0 0 0 * * 0|30 2 * * * 15|0 0 1 1 * 0 2027|0 0 * * * 0 2026-2030|0 0 29 2 * 0 2027|0 0 * * * 0 2020|0 0 1 1 * 0 2099|0 0 1 1 * 0 */4|0 0 * * 1#1 0 2027,2029|* * * * * * *|0 12 * * 1-5 0 *""".replace("\n", "").split("|")

RULES = """FREQ=DAILY|FREQ=HOURLY|FREQ=MINUTELY;INTERVAL=30|FREQ=SECONDLY;INTERVAL=90|FREQ=WEEKLY;BYDAY=MO,WE|FREQ=MONTHLY|FREQ=YEARLY|FREQ=DAILY;BYHOUR=2;BYMINUTE=30|FREQ=DAILY;BYHOUR=1,2,3;BYMINUTE=0,30|
FREQ=MONTHLY;BYMONTHDAY=31|FREQ=MONTHLY;BYMONTHDAY=-1|FREQ=MONTHLY;BYMONTHDAY=0|FREQ=MONTHLY;BYDAY=-1FR|FREQ=MONTHLY;BYDAY=2TU,-1SU|FREQ=MONTHLY;BYDAY=5MO|FREQ=MONTHLY;BYDAY=MO,1TU|FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1|
FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=1,-2;BYHOUR=9,17|FREQ=YEARLY;BYDAY=20MO|FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3,10|FREQ=YEARLY;BYWEEKNO=1|FREQ=YEARLY;BYWEEKNO=53;BYDAY=MO|FREQ=YEARLY;BYWEEKNO=-1|FREQ=YEARLY;BYWEEKNO=1,20;WKST=SU|
FREQ=YEARLY;BYYEARDAY=1,100,-1,366|FREQ=YEARLY;BYEASTER=0|FREQ=YEARLY;BYEASTER=-2,1,49|FREQ=YEARLY;BYEASTER=300|FREQ=YEARLY;BYEASTER=-100|FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29|FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30|FREQ=MONTHLY;BYMONTHDAY=13;BYDAY=FR|
FREQ=YEARLY;BYMONTH=13|FREQ=YEARLY;BYMONTH=13;BYDAY=1MO|FREQ=MONTHLY;BYDAY=60MO|FREQ=YEARLY;BYDAY=55MO|FREQ=YEARLY;BYDAY=-60MO|FREQ=WEEKLY;INTERVAL=2;WKST=SU|FREQ=WEEKLY;INTERVAL=2;BYDAY=SU,MO;WKST=SU|FREQ=WEEKLY;INTERVAL=2;BYDAY=SU,MO;WKST=MO|
FREQ=WEEKLY;BYDAY=MO,WE,FR;BYSETPOS=2|FREQ=WEEKLY;BYDAY=2MO|FREQ=WEEKLY;BYMONTH=1,12|FREQ=DAILY;INTERVAL=10|FREQ=DAILY;BYMONTH=1;BYMONTHDAY=31,-1|FREQ=HOURLY;INTERVAL=7|FREQ=HOURLY;INTERVAL=5;BYHOUR=3,4|FREQ=HOURLY;BYDAY=SA;BYHOUR=1,2,3|
FREQ=HOURLY;INTERVAL=48|FREQ=HOURLY;INTERVAL=6;BYMINUTE=15,45|FREQ=HOURLY;BYMINUTE=99|FREQ=MINUTELY;INTERVAL=45;BYHOUR=2|FREQ=MINUTELY;INTERVAL=7;BYMINUTE=0,7|FREQ=MINUTELY;INTERVAL=1440|FREQ=MINUTELY;INTERVAL=90;BYHOUR=1,2;BYDAY=SU|FREQ=SECONDLY;INTERVAL=3600|
FREQ=SECONDLY;BYSECOND=0;BYMINUTE=30;BYHOUR=2|FREQ=DAILY;COUNT=3|FREQ=DAILY;COUNT=4000|FREQ=DAILY;COUNT=0|FREQ=HOURLY;COUNT=60000|FREQ=WEEKLY;COUNT=500;BYDAY=MO,TU|FREQ=DAILY;UNTIL=20261126|FREQ=DAILY;UNTIL=20261126T000000|FREQ=DAILY;UNTIL=20200101|FREQ=HOURLY;UNTIL=20261125T013000|
FREQ=DAILY;UNTIL=20300101T000000Z|FREQ=DAILY;INTERVAL=0|FREQ=YEARLY;INTERVAL=4;BYMONTH=2;BYMONTHDAY=29|FREQ=MONTHLY;INTERVAL=5|FREQ=MONTHLY;INTERVAL=13;BYDAY=1MO|FREQ=YEARLY;INTERVAL=100|FREQ=YEARLY;INTERVAL=9000|FREQ=DAILY;BYWEEKNO=1,52,53|FREQ=WEEKLY;BYWEEKNO=1,53|FREQ=DAILY;BYEASTER=0,1|
FREQ=WEEKLY;BYYEARDAY=1,2,3,365|FREQ=DAILY;BYSETPOS=2;BYHOUR=1,2,3|FREQ=HOURLY;BYSETPOS=-1;BYMINUTE=0,20,40|FREQ=DAILY;BYSETPOS=5;BYHOUR=1|FREQ=DAILY;BYHOUR=1;BYHOUR=4|
DTSTART:20260101T023000\nRRULE:FREQ=DAILY|DTSTART:20260101T013000Z\nRRULE:FREQ=DAILY;UNTIL=20301231T000000Z|DTSTART;TZID=America/New_York:20260101T090000\nRRULE:FREQ=DAILY|DTSTART:20260131T120000\nRRULE:FREQ=MONTHLY|DTSTART:20240229T120000\nRRULE:FREQ=YEARLY|
DTSTART:20310101T000000\nRRULE:FREQ=DAILY|DTSTART:20260101\nRRULE:FREQ=DAILY;COUNT=2\nRDATE:20270101T103000,20261201T000000|DTSTART:20260101\nRRULE:FREQ=DAILY\nEXDATE:20261125,20261127T000000|DTSTART:20260101\nRRULE:FREQ=DAILY\nEXRULE:FREQ=WEEKLY;BYDAY=SA,SU|
RDATE:20300101T000000,20290101T000000,20300101T000000|DTSTART:20260101T020000\nRRULE:FREQ=DAILY\nRRULE:FREQ=HOURLY;INTERVAL=9\nEXRULE:FREQ=DAILY;INTERVAL=3|EXRULE:FREQ=DAILY|RRULE:FREQ=DAILY\nEXRULE:FREQ=DAILY;COUNT=2500|FREQ=WEEKLY\nEXDATE:20261125T000000+0100|
DTSTART:20260105T101530.5\nRRULE:FREQ=DAILY|RDATE:20290101T000000.25\nRRULE:FREQ=YEARLY;COUNT=1|DTSTART:20251229T000000\nRRULE:FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR,SA,SU;BYSETPOS=1,-1|DTSTART:20251231T000000\nRRULE:FREQ=WEEKLY;INTERVAL=1;BYYEARDAY=1,2,3|DTSTART:5JAN2026\nRRULE:FREQ=DAILY|
DTSTART:20260101\nRRULE:FREQ=YEARLY;BYDAY=1MO;BYMONTH=1|DTSTART:20260101T000001\nRRULE:FREQ=SECONDLY;INTERVAL=7;COUNT=50|DTSTART:20260320T023000\nRRULE:FREQ=DAILY;COUNT=40|DTSTART:20260101\nRRULE:FREQ=SECONDLY;BYHOUR=9;BYMINUTE=0;BYSECOND=0""".replace("|\n", "|").split("|")
RULES = [r.replace("\\n", "\n") for r in RULES]

SECONDS = [1, 7, 60, 90.5, 600, 900, 1800, 3600, 5400, 7200, 43200, 82800, 86399, 86400, 86401, 90000, 129600, 172800, 604800, 2592000, 31536000, 0.1, 0.000001, 1e9, 1e12, 1234567.891234, 86400.5]
ANCHORS = ["2020-01-01T00:00:00Z", "2026-03-01T02:30:00+01:00", "2026-10-01T02:30:00+02:00", "2026-02-20T02:00:00-05:00", "2026-11-24T20:52:00.5Z", "2026-09-30T15:45:00Z", "2031-05-05T05:05:05Z"]


def starts(rng, zone):
    """Around two changes of the clocks, if the zone has any, and plain ones; always four."""
    around = [-26 * 3600, -5400, -3600, -1800, -1, 0, 900, 1800, 3600, 5400]
    moments = [datetime.datetime.fromisoformat(c) + datetime.timedelta(seconds=rng.choice(around)) for c in rng.sample(CHANGES[zone], min(3, len(CHANGES[zone])))]
    moments += [datetime.datetime.fromisoformat(p) for p in rng.sample(PLAIN, 4 - len(moments))]
    return [round((m.replace(tzinfo=UTC) - EPOCH) / datetime.timedelta(microseconds=1)) for m in moments]


def random_cron(rng):
    def field(lo, hi):
        a, b = rng.randint(lo, hi), rng.randint(lo, hi)
        return rng.choice(["*", "*", "*", str(a), f"{a},{b}", f"*/{rng.randint(1, hi)}", f"{min(a, b)}-{max(a, b)}", f"{a}-{b}/{rng.randint(1, 5)}"])

    day = rng.choice(["*", "*", field(1, 31), "l", f"l,{rng.randint(1, 31)}"])
    weekday = rng.choice(["*", "*", field(0, 6), f"{rng.randint(0, 6)}#{rng.randint(1, 5)}", f"L{rng.randint(0, 6)}", "mon-fri", "sat,sun"])
    parts = [field(0, 59), field(0, 23), day, field(1, 12), weekday]
    if rng.random() < 0.2:
        parts.append(field(0, 59))
        if rng.random() < 0.4:
            parts.append(rng.choice(["*", "2026-2030", "2027", "*/3"]))
    return " ".join(parts)


def random_rule(rng):
    freq = rng.choice(["YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY", "MINUTELY"])
    parts = [f"FREQ={freq}"]

    def some(name, chance, values, most=3):
        if rng.random() < chance:
            parts.append(f"{name}=" + ",".join(str(v) for v in rng.sample(values, rng.randint(1, most))))

    some("INTERVAL", 0.5, range(1, 20), 1)
    some("BYMONTH", 0.25, range(1, 13))
    some("BYMONTHDAY", 0.25, [*range(1, 32), *range(-5, 0)])
    some("BYDAY", 0.4, ["MO", "TU", "WE", "TH", "FR", "SA", "SU"] + (["1MO", "-1FR", "2SU", "3TH"] if freq in ("YEARLY", "MONTHLY") else []))
    some("BYWEEKNO", 0.1, [*range(1, 54), -1, -2])
    some("BYYEARDAY", 0.1, [*range(1, 367, 5), -1, -30])
    some("BYHOUR", 0.3, range(24))
    some("BYMINUTE", 0.3, range(60))
    some("BYSETPOS", 0.15, [1, 2, -1, -2], 2)
    some("WKST", 0.2, ["MO", "SU", "TU", "SA"], 1)
    if rng.random() < 0.15:
        parts.append(rng.choice(["COUNT=5", "COUNT=3000", "UNTIL=20261231", "UNTIL=20280101T120000"]))
    rng.shuffle(parts)
    rule = ";".join(parts)
    if rng.random() < 0.5 or freq == "MINUTELY":
        rule = f"DTSTART:2026{rng.randint(1, 12):02}{rng.randint(1, 28):02}T{rng.randint(0, 23):02}{rng.choice([0, 0, 15, 30]):02}00\nRRULE:" + rule
    elif rng.random() < 0.9:
        rule = "DTSTART:20200101T000000\n" + rule
    return rule


def schedules(seed, count):
    rng = random.Random(seed)
    zones = list(CHANGES)
    for i, text in enumerate(CRON + [random_cron(rng) for _ in range(count)]):
        yield {"cron": text, "timezone": zones[i % len(zones)] if i % 7 else None, "day_or": i % 5 != 3}
    for i, seconds in enumerate(SECONDS * 4 + [rng.choice([rng.randint(1, 10**6), rng.randint(1, 200) * 3600, rng.randint(1, 40) * 86400]) for _ in range(count)]):
        yield {"interval": seconds, "timezone": zones[(i + i // len(SECONDS)) % len(zones)], "anchor_date": rng.choice(ANCHORS)}
    for i, text in enumerate(RULES + [random_rule(rng) for _ in range(count)]):
        yield {"rrule": text, "timezone": zones[i % len(zones)]}


class Hang(BaseException):
    pass


def hang(*_):
    raise Hang


def micros(date):
    """Plain arithmetic: the dates are of a class whose own differences are not exact."""
    plain = datetime.datetime(date.year, date.month, date.day, date.hour, date.minute, date.second, date.microsecond) - date.utcoffset()
    return (plain - EPOCH.replace(tzinfo=None)) // datetime.timedelta(microseconds=1)


def ask(body, start):
    kind = CronSchedule if "cron" in body else IntervalSchedule if "interval" in body else RRuleSchedule
    signal.setitimer(signal.ITIMER_REAL, 3)
    try:
        dates = asyncio.run(kind(**body).get_dates(n=COUNT, start=EPOCH + datetime.timedelta(microseconds=start)))
        return [micros(d) for d in dates]
    except Hang:
        return "hang"
    except Exception:
        return "error"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def main():
    target = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parent / "times.json"
    seed, count = map(int, sys.argv[2:4]) if len(sys.argv) > 3 else (77, 250)
    signal.signal(signal.SIGALRM, hang)
    rng = random.Random(seed)
    out = []
    for body in schedules(seed, count):
        answers = []
        for start in starts(rng, body["timezone"] or "UTC"):
            answer = ask(body, start)
            answers.append([start, answer])
            if answer == "hang":
                break
        out.append({"schedule": body, "answers": answers})
    target.write_text("[\n" + ",\n".join(json.dumps(o) for o in out) + "\n]\n")


if __name__ == "__main__":
    main()
