"""Texts to ask the real Prefect about: some written by hand, for each rule a text on either side of it, the rest put together at
random from the same pieces (with a fixed seed, so that the list is always the same)."""
import importlib.resources
import random

CRON = """0 0 * * *|* * * * *|*/15 9-17 * * MON-FRI|@daily|@hourly|@midnight|@weekly|@monthly|@yearly|@annually|@Daily|@reboot| @daily|@daily |@|
61 * * * *|0 25 * * *|0 24 * * *|0 0 0 * *|0 0 32 * *|0 0 1 0 *|0 0 1 13 *|0 0 * * 7|0 0 * * 8|0 0 * * 0-7|0 0 * * 5-7|0 0 * * 7-2|
0 0 L * *|0 0 l * *|0 0 l,15 * *|0 0 15-l * *|0 0 l-5 * *|0 0 * l *|l 0 * * *|0 0 * * l|0 0 * * L5|0 0 * * L7|0 0 * * L8|0 0 * * l5,1|
0 0 * * 5#2|0 0 * * 5#0|0 0 * * 5#6|0 0 * * MON#1|0 0 * * mon-wed#2|0 0 * * 1-3#2|0 0 * * 1#1,2|0 0 * * 1#1,2#2|0 0 * * *,1#2|
0 0 * * 0,1,2,3,4,5,6#1|0 0 * * *,1,2,3,4,5,6#1|0 0 * * *,0,1,2,3,4,5,6#1|0 0 * * sun-sun#2|0 0 * * jan#2|0 0 * * l#2|0 0 * * *#2|0 0 * * 1#|
0 0 * * #2|0 0 ? * *|0 0 * * ?|? * * * *|0 ? * * *|0 0 * ? *|0 0 ?,1 * *|0 0 1? * *|R 0 * * *|r * * * *|H * * * *|H H * * *|h(0-5) * * * *|
R(0-5) * * * *|R(5-5) * * * *|R(0-100) * * * *|R/15 * * * *|R/0 * * * *|R/60 * * * *|R/100 * * * *|R(0-30)/10 * * * *|R(0-70)/10 * * * *|R(50-3)/2 * * * *|
0 0 R(0-5) * *|0 0 * * R(0-7)|0 0 * * R(1-8)|0 0 * * R|0 0 0 0 0 R|x R * * *|0 0 R/7 * *|R(1-) * * * *|R() * * * *|0 0 * R(1-12)/40 *|0 0 0 0 0 0 R(1980-1990)|0 0 * * R(0-5)/9|
1-5/2 * * * *|5-5 * * * *|59-0 * * * *|50-10/7 * * * *|1-5/0 * * * *|*/0 * * * *|*/70 * * * *|*/x * * * *|*/ * * * *|/5 * * * *|5/2 * * * *|
5/0 * * * *|60/2 * * * *|1/2/3 * * * *|a/b/c * * * *|1-2-3 * * * *|-1 * * * *|-5/2 * * * *|1,,2 * * * *|, * * * *|1, * * * *|,1 * * * *|1,2,3 * * * *|
*,5 * * * *|** * * * *|*5 * * * *|1.5 * * * *|+5 * * * *|1_0 * * * *|0x1 * * * *|0 0 * JAN *|0 0 * jan-mar *|0 0 * nov-feb/2 *|0 0 * apr-jan/3 *|
0 0 * JANUARY *|0 0 * * MONDAY|0 0 * * fri-mon|0 0 * * mon-5|0 0 * 1-feb *|0 0 * sun *|0 0 * * jan|mon * * * *|0 0 * 0-0 *|0 0 * 0 *|0 0 0-0 * *|0 0 0-5 * *|
0 0 * * * 0|0 0 * * * 60|0 0 0 * * 0|0 0 0-5 * * 0|0 0 * * 7 0|0 0 * * 0-7 0|0 0 * 0 * 0|*/5 * * * * */15|0 0 * * * 0 2020|0 0 * * * 0 1969|0 0 * * * 0 2100|
0 0 * * * 0 2020-2030|0 0 * * * 0 2030-2020|0 0 * * * 0 100-5|0 0 * * * 0 5-5|0 0 * * * 0 1-1980|0 0 * * * 0 100-5/2000|0 0 0 * * 0 2020|0 0 * * 7 0 2020|0 0 * * * 0 */4|0 0 * * * 0 0 0|
0 0 * *|0|  0   0  *  *  *  |0\t0\t*\t*\t*|0\n0 * * *|0\u00a00 * * *|0\u20030 * * *|\u0660 0 * * *|\u0663-\u0665/\u0662 * * * *|\uff15 * * * *|\u00b2 * * * *|0 0 * * \u0662#\u0661|0 0 * * \u212aMON|
00 00 * * *|007 0 * * *|0000000000000000000059 * * * *|99999999999999999999999 * * * *|1-99999999999999999999 * * * *|*/99999999999999999999 * * * *|0 0 * * MON,TUE,WED|0 0 * * mon-|0 0 * * -mon|0 0 * * mon-tue-wed|
0 0 1-31 * 0-6|0 0 1,15 * FRI|every day|0 0 * * * *  * *|0 0 31 2 *|$ * * * *|{{ x }}|'0 0 * * *'|0 0 * * *;|0;0 * * *|0 0 W * *|0 0 15W * *|0 0 LW * *|0 0 L-3 * *""".replace("\n", "").split("|")
CRON += ["0" * 4300 + " * * * *", "0" * 4301 + " * * * *", "1," * 500 + "1 * * * *", "*/" + "0" * 5000 + "5 * * * *", "0 0 * * 5#" + "0" * 4300 + "1", ""]

ZONES = """UTC|utc|GMT|Europe/Berlin|europe/berlin|America/New_York|America/New York|US/Eastern|EST|EST5EDT|Factory|Mars/Olympus|Zulu|Etc/GMT+5|Etc/GMT-14|
Asia/Calcutta|Asia/Kolkata|America/Argentina/Buenos_Aires|Buenos_Aires|Asia/Saigon|Pacific/Kanton|Europe/Kyiv|Europe/Kiev|posix/UTC|right/UTC|posixrules|
+02:00|UTC+2|Local|local|CET| UTC|UTC |Europe/Berlin\n|Europe|/UTC|../UTC|Z|PST|PST8PDT|Navajo|Cuba|GB|W-SU|NZ-CHAT|America/Coyhaique|zone.tab|Antarctica/Troll|\u0395urope/Berlin""".replace("\n", "", 2).split("|") + [""]

INTERVALS = """600|600.5|1|P|PT|P1|P1D|p1d|+P1D|-P1D|PT1H|P1YT|PT1.5H|PT1,5H|PT1.H|PT.5S|P1.5D|P1.5DT1H|PT1H1H|P1M1Y|P1W1D|P1W|P1.123W|PT0.5S|P1DT2H|1:30|01:30|01:30:00|1:30:00|24:00:00|
25:00|100:00|99:59:59|01:60|01:30:60|01:30:00.5|01:30:00.1234567|01:30:00,5|01:30:00.|01:30:00.12345678901234567890|01:30Z|01:30:00+01:00|1 day|1d|1 d|1days|1 days, 01:00|1 days,01:00|1 days01:00|1 day 1:00|1 days,  01:00|
1 Days 25:00|2 days, 01:00:00| P1D|P1D |PT9999999999S|PT4294967295S|PT4294967296S|P999999999D|P1000000000D|P999999999DT86399.999999S|P999999999DT86400S|P2739726Y|P2739727Y|P4294967295D|1000000000d|PT0S|P0D|-1 day|+1 day|--1d|5|12345|1e3|nan|inf|PT1e3S|100:00:00|
000:00:00|999:00|1:2:3|01:2|1 day, 24:00:00|1 daysZ|1 day, 01:00Z|P1DT|PTT1S|P1D1| |00:00:01|00:00:00.0000001|00:00:00.000001|24:00|0000024:00|123456:00:00|999999999:00:00|1000000000:00:00|1193046:28:15|1193047:00:00|1 day, 100:00:00|1 day x|\u0661d|PT1S\n|600s|10m|1h|1w|
+01:30|-01:30|+1:30|-1:30|+1:3|1 DAY|1 DAYS, 01:00|1 dAy|1 da|1 dax|1day,|1day, |1day ,01:00|1d01:00:00.5|1d 01:00:00.1234567|1d01:00:00.|1 day, 00:00:00.000001|0d|0 days, 00:00:01|2 days,01:00|P1DT1.123456789S|PT0.0000001S|PT0.0000005S|PT0.0000004S|P0.00001D|P1.99999999999W|P1.5Y|P1.5M|
PT1H30M|PT90M|PT36H|P1Y2M3DT4H5M6S|P1Y2M3W4DT5H6M7.8S|PT1M1H|PT1S1M|P1H|PT1D|PT1W|PT1.5M|PT71582788M|PT71582789M|PT1193046H|PT1193047H|P613566756W|P613566757W|P11767033Y|PT1.5H1M|PT1M1.5S|P 1D|P1 D|P1D T1H|PT-1S|P-1D|P+1D|day|d|D|1dd|1d d|1 D 01:30|01d|4294967295d|4294967296d|
10:00:00:00|10:00:0|10:0|1:00|0:00:01|:30:00|01::00|01:00:|01:00: 0|a1:00|01:0a|1:00:00|01-30|01.30|\u0660\u0661:30|10:00 |10:00:00 PM|1 hour|1 minute|90 seconds|1 week|two days|true|null|None|0x10|1_000|1,000|1.0|-5|+5|-|+""".replace("\n", "").split("|") + [""]
INTERVALS += ["01:30:00.123456xyz", "01:30:00.12345x", "01:30:00.1234567:", "1 day, 00:00:00.000001y"]
INTERVALS += ["PT0." + "1" * 400 + "S", "P0." + "9" * 400 + "D"]
NUMBERS = [600, 600.0, 90.5, 0.1, 1e-7, 5e-7, 4e-7, 4.9e-7, 1.5e-6, 2.5e-6, 1e14, 8.64e13, 86399999999999.0, 86399999999999.99, 86400000000000, -1, 0, 0.0, 1e300,
           3, 10**13, 10**14, 0.9999996, 0.99999951, 1.0000005, 2678400, 31536000.25, 1234567.891234, 123456789012.5, 5000000000.123457, 0.000001, 1 / 3, 2 / 3, 1e10 + 0.3]

ANCHORS = """now|2022-02-03|2022-02-03T04:05:06+02:00|2022-02-03T04:05:06Z|2022-02-03T04:05:06|2022-02-03 04:05:06|2022-02-03T04:05:06+24:01|2022-02-03T04:05:06-99:99|2022-02-03T04:05:06+23:59|2022-02-03T04:05:06-23:59|
2022-02-03T04:05:06+24:00|2022-02-03T24:00:00|2022-02-03T25:00:00|20220203T0405Z|20220203T040506|20220203T04:05|20220203T04:05:06|20220203 04:05:06|2022-02-03T0405|2022-02-03T040506|2022-02-03T04:05Z x|2022|202202|2022-02|2022-033|2022033|2022-366|2020-366|2020-000|2022W05|2022-W05|2022-W05-3|2022W053|
2022-W053|2022W05-3|2022-W53|2020-W53|2020-W53-7|2022-W05-8|2022-W05-0|2022-W00-1|2022/02/03|2022:02:03 1:2|2022/0203|2022/02:03|202202/03|2022-02/03|2022-02-03T04:05:06.1234567Z|2022-02-03T04:05:06.1Z|2022-02-03T04:05:06,123Z|2022-02-03T04:05:06.Z|12:30|1:30|12:30:15|12:30:15.5|12:30Z|12:30+01:00|T12:30|T12:30:15|T123015|T12|12:|1:|123015|
2022-02-03T04:05:06 +02:00|2022-02-03T04:05:06+0200|2022-02-03T04+02|2022-02-03T04:05-0330|2022-02-03T04:05-03:30|2022-02-03T04:05+2|0000-01-01|0001-01-01|0001-01-01T00:00:00+10:00|9999-12-31|9999-12-31T23:59:59.999999Z|2022-02-30|2022-02-03T04:60|2022 1:|2022 1:2|20221:30|202212:30|202212:30:15|202212311:30|20221231:30|2022123112:30|2022-02-03T04:05:60Z|2021-02-29|2020-02-29|1900-02-29|2000-02-29|
1900-01-01T00:00:00+00:19|2022-01-01t00:00:00z|2022-01-01T00:00:00z|2022-01-01t00:00|2022-W01-0|2022-02-03T04:05:06-00:00|2022-1-1|202301011|20230101120000|2023010112|\uff12\uff10\uff12\uff12/02/03|\u0662\u0660\u0662\u0662|2022/02/03 1:2:3.4|2022/02/03 1:2.4|2022/02/03 1:2\u007c5|1:2:3,123456789|2022/02/03 25:00|2022/13/03|2022/02/031:2|P1D|PT1H|P1Y2M|2022-01-01/2022-02-01|2022-01-01/P1D|P1D/2022-01-01|20220101/20220201|2022/P1D|
today|tomorrow|Jan 5 2022|5 January 2022|2022-Jan-05|01/02/2022|1577836800|1577836800.5| 2022-02-03|2022-02-03 |2022-02-03\n|2022-02-03T|2022-02-03 T04|2022-02-03  04:05|2022-02-03T4:05|2022-02-03T04:5|2022-02-03T04:05:6|-2022-02-03|+2022-02-03|02022-02-03|22-02-03|NOW|Now|{{ x }}|2022-02-03T04:05:06[Europe/Berlin]|2022-02-03T04:05:06 UTC|2022-02-03T04:05:06UTC|2022-13-01|2022-00-01|2022-01-00|2022-01-32|2022-12|2022-13|2022-1""".replace("\n", "").replace("\\u007c", "\u007c").split("|") + [""]

RRULES = r"""FREQ=DAILY|freq=daily|FREQ=DAILY;INTERVAL=2|RRULE:FREQ=WEEKLY;BYDAY=MO,WE|rrule:freq=weekly|RRULE:RRULE:FREQ=DAILY|FREQ=DAILY;|;FREQ=DAILY|FREQ=DAILY;;COUNT=1|FREQ|FREQ=|=DAILY|FREQ=DAILY=1|FREQ=FORTNIGHTLY|INTERVAL=2|COUNT=5| |\n|FREQ=DAILY\n|\nFREQ=DAILY|FREQ=DAILY COUNT=5|
DTSTART:20210101T090000\nRRULE:FREQ=MONTHLY;BYMONTHDAY=1|DTSTART:20210101T090000 RRULE:FREQ=DAILY|DTSTART:20210101T090000Z\nRRULE:FREQ=DAILY|DTSTART;TZID=America/New_York:20210101T090000\nRRULE:FREQ=DAILY|DTSTART;TZID=Mars/X:20210101T090000\nRRULE:FREQ=DAILY;UNTIL=20220101|DTSTART;TZID=America/New_York:20210101T090000\nRRULE:FREQ=DAILY;UNTIL=20220101T000000Z|
DTSTART;TZID=America/New_York:20210101T090000\nRRULE:FREQ=DAILY;UNTIL=20220101T000000|DTSTART;TZID=America/New_York:20210101T090000Z\nRRULE:FREQ=DAILY|DTSTART;TZID=UTC+3:20210101T090000\nRRULE:FREQ=DAILY;UNTIL=20220101T000000Z|DTSTART;TZID=EST5EDT:20210101\nFREQ=DAILY;UNTIL=20220101Z|DTSTART;TZID=america/new_york:20210101T090000\nRRULE:FREQ=DAILY;UNTIL=20220101T000000|
DTSTART;VALUE=DATE:20210101\nRRULE:FREQ=DAILY|DTSTART;VALUE=DATE-TIME:20210101T000000\nRRULE:FREQ=DAILY|DTSTART;VALUE=DATE;VALUE=DATE:20210101\nRRULE:FREQ=DAILY|DTSTART;VALUE=TEXT:20210101\nRRULE:FREQ=DAILY|DTSTART;TZID=America/New_York;VALUE=DATE:20210101\nRRULE:FREQ=DAILY;UNTIL=20220101T00Z|DTSTART;:20210101\nRRULE:FREQ=DAILY|
DTSTART:20210101T090000|DTSTART:20210101,20210102\nRRULE:FREQ=DAILY|DTSTART:\nRRULE:FREQ=DAILY|DTSTART:x\nRRULE:FREQ=DAILY|DTSTART:20210101\nDTSTART:20210102Z\nRRULE:FREQ=DAILY;UNTIL=20220101T000000Z|DTSTART:2021-01-01T09:00:00\nRRULE:FREQ=DAILY|DTSTART:2021-01-01T09:00:00+02:00\nRRULE:FREQ=DAILY;UNTIL=2022-01-01|DTSTART:20200101T000000\nFREQ=DAILY|
RRULE:FREQ=DAILY\nRRULE:FREQ=WEEKLY|RRULE:FREQ=DAILY\nEXDATE:20220101|RRULE:FREQ=DAILY\nEXDATE:20220101,20220102T00|RRULE:FREQ=DAILY\nEXDATE;TZID=Europe/Berlin:20220101|EXDATE:20220101|RDATE:20220101|RDATE:20220101,20220102|RDATE;VALUE=DATE-TIME:20220101|RDATE;VALUE=DATE:20220101|RDATE;:20220101|RDATE:|RRULE:FREQ=DAILY\nEXRULE:FREQ=WEEKLY|EXRULE:FREQ=WEEKLY|EXRULE;X=1:FREQ=WEEKLY|RRULE;X=1:FREQ=DAILY|RRULE;:FREQ=DAILY|SUMMARY:x\nRRULE:FREQ=DAILY|RRULE:FREQ=DAILY\nRDATE:x|RRULE:FREQ=DAILY\nEXDATE:x|
RRULE:FREQ=DAILY;UNTIL=20220101T000000Z\nRDATE:20220101|RRULE:FREQ=DAILY;UNTIL=20220101T000000Z|FREQ=DAILY;UNTIL=20220101T000000Z|FREQ=DAILY;UNTIL=20220101|FREQ=DAILY;UNTIL=2022-01-01T00:00:00|FREQ=DAILY;UNTIL=2022-01-01|FREQ=DAILY;UNTIL=|FREQ=DAILY;UNTIL=tomorrow|FREQ=DAILY;UNTIL=5JAN2022|FREQ=DAILY;UNTIL=20220230|FREQ=DAILY;COUNT=5;UNTIL=20220101|FREQ=DAILY;UNTIL=20220101T250000|
FREQ=DAILY;COUNT=0|FREQ=DAILY;COUNT=-1|FREQ=DAILY;COUNT=x|FREQ=DAILY;COUNT=1.5|FREQ=DAILY;COUNT=+5|FREQ=DAILY;COUNT=1_0|FREQ=DAILY;COUNT=_1|FREQ=DAILY;COUNT=1__0|FREQ=DAILY;COUNT=٣|FREQ=DAILY;INTERVAL=0|FREQ=DAILY;INTERVAL=-1|FREQ=DAILY;INTERVAL=|FREQ=DAILY;INTERVAL=1,2|FREQ=MINUTELY;INTERVAL=0|FREQ=MINUTELY;INTERVAL=0;COUNT=1|FREQ=SECONDLY;INTERVAL=-5|FREQ=MINUTELY;INTERVAL=5|FREQ=SECONDLY|FREQ=SECONDLY;INTERVAL=90|FREQ=MINUTELY;COUNT=5|FREQ=MINUTELY;INTERVAL=99999999999|FREQ=SECONDLY;INTERVAL=-251824463999|FREQ=SECONDLY;INTERVAL=-251824464000|FREQ=MINUTELY;INTERVAL=-4197074399|FREQ=MINUTELY;INTERVAL=-4197074400|
FREQ=DAILY;BYDAY=MO|FREQ=DAILY;BYDAY=+1MO|FREQ=DAILY;BYDAY=-1FR|FREQ=DAILY;BYDAY=0MO|FREQ=DAILY;BYDAY=MO(+1)|FREQ=DAILY;BYDAY=MO(0)|FREQ=DAILY;BYDAY=MO()|FREQ=DAILY;BYDAY=MO(1|FREQ=DAILY;BYDAY=MO(12|FREQ=DAILY;BYDAY=MO(1x|FREQ=DAILY;BYDAY=MO(1)(|FREQ=DAILY;BYDAY=|FREQ=DAILY;BYDAY=MO,|FREQ=DAILY;BYDAY=MONDAY|FREQ=DAILY;BYDAY=1|FREQ=DAILY;BYDAY=+MO|FREQ=DAILY;BYDAY=99MO|FREQ=DAILY;BYDAY=1-MO|FREQ=DAILY;BYDAY=1MO(2)|FREQ=DAILY;BYWEEKDAY=TU|FREQ=DAILY;BYDAY=mo|FREQ=DAILY;WKST=SU|FREQ=DAILY;WKST=1|FREQ=DAILY;WKST=+1MO|
FREQ=DAILY;BYHOUR=9|FREQ=DAILY;BYHOUR=24|FREQ=DAILY;BYHOUR=-1|FREQ=DAILY;BYHOUR=9,17|FREQ=DAILY;BYMINUTE=60|FREQ=DAILY;BYSECOND=60|FREQ=DAILY;BYSECOND=59|FREQ=HOURLY;BYHOUR=24|FREQ=HOURLY;BYHOUR=99;INTERVAL=5|FREQ=HOURLY;INTERVAL=2;BYHOUR=9|FREQ=HOURLY;INTERVAL=2;BYHOUR=8|FREQ=HOURLY;INTERVAL=2;BYHOUR=8,9|FREQ=HOURLY;INTERVAL=0;BYHOUR=0|FREQ=HOURLY;INTERVAL=0;BYHOUR=1|FREQ=HOURLY;INTERVAL=-2;BYHOUR=1|FREQ=MINUTELY;INTERVAL=15;BYMINUTE=30|FREQ=MINUTELY;INTERVAL=15;BYMINUTE=31|FREQ=SECONDLY;INTERVAL=30;BYSECOND=15|FREQ=HOURLY;BYMINUTE=99|FREQ=MINUTELY;BYSECOND=99|
DTSTART:20200101T090000\nRRULE:FREQ=HOURLY;INTERVAL=2;BYHOUR=9|DTSTART:20200101T090000\nRRULE:FREQ=HOURLY;INTERVAL=2;BYHOUR=8|DTSTART:20200101T0930\nRRULE:FREQ=MINUTELY;INTERVAL=2;BYMINUTE=31|DTSTART:20200101T093015\nRRULE:FREQ=SECONDLY;INTERVAL=5;BYSECOND=10|
FREQ=MONTHLY;BYSETPOS=1|FREQ=MONTHLY;BYSETPOS=0|FREQ=MONTHLY;BYSETPOS=366|FREQ=MONTHLY;BYSETPOS=367|FREQ=MONTHLY;BYSETPOS=-366|FREQ=MONTHLY;BYSETPOS=-367|FREQ=MONTHLY;BYSETPOS=1,0|FREQ=YEARLY;BYMONTH=13|FREQ=YEARLY;BYMONTH=x|FREQ=YEARLY;BYMONTH=|FREQ=YEARLY;BYMONTHDAY=0|FREQ=YEARLY;BYMONTHDAY=-1|FREQ=YEARLY;BYYEARDAY=400|FREQ=YEARLY;BYWEEKNO=99|FREQ=YEARLY;BYEASTER=0|FREQ=YEARLY;BYEASTER=x|FREQ=DAILY;X-NAME=1|FREQ=DAILY;INT=1|FREQ=DAILY;FREQ=WEEKLY|FREQ=DAILY;COUNT=1;COUNT=x|FREQ=DAILY:X|X:FREQ=DAILY|RRULE:|RRULE|:|
{"rrule": "FREQ=HOURLY", "timezone": "America/New_York"}|{"rrule": "FREQ=YEARLY"}|{"rrule": "FREQ=YEARLY", "timezone": null}|{"rrule": "FREQ=YEARLY", "timezone": ""}|{"rrule": "FREQ=YEARLY", "timezone": "Mars/X"}|{"rrule": "FREQ=YEARLY", "timezone": "Factory"}|{"rrule": null}|{"rrule": 5}|{"timezone": "UTC"}|{}|[]|5|null|"FREQ=DAILY"|{"rrule": "FREQ=DAILY", "x": 1}|{"rrule": "BAD"}|{"rrule": "FREQ=DAILY", "timezone": 5}|{"rrule": "FREQ=DAILY"|{"rrule": "FREQ=DAILY", "rrule": "BAD"}|{"rrule": "BAD", "rrule": "FREQ=DAILY"}| {"rrule": "FREQ=DAILY"} |{"RRULE": "FREQ=DAILY"}|{"rrule": "DTSTART:20240101T000000\nRRULE:FREQ=DAILY"}|{"rrule": "DTSTART:20240101T000000\\nRRULE:FREQ=DAILY"}|{"rrule": NaN}|{"rrule": "\ud800"}|every day|0 0 * * *|FREQ=DAILY;BYﬆ=1|RRULE:FREQ=DAILY;UNTIL=5AUGUﬆ2022|FREQ=DAıLY""".replace("\n", "").replace("\\\\n", "\x01").replace("\\n", "\n").replace("\x01", "\\n").split("|") + [""]
RRULES += ["FREQ=DAILY;BYMONTHDAY=" + ",".join(["1"] * n) for n in (3227, 3228, 3240, 3241, 3260)]
RRULES += ["DTSTART:20240101T000000\nFREQ=DAILY;BYMONTHDAY=" + ",".join(["1"] * n) for n in (3225, 3226, 3227, 3228, 3229)]
RRULES += ["DTSTART;TZID=" + z + ":20210101T090000\nRRULE:FREQ=DAILY;UNTIL=20220101T000000" for z in (
    "XYZ-3", "XYZ+3", "XYZ3", "XYZ03", "XYZ003", "XYZ0300", "XYZ03000", "XYZ", "X5", "5", "5X", "+5", "-", "XYZ-", "XYZ5DST", "XYZ5DST4", "XYZ5DST+4", "XYZ5DST4X", "XYZ5DST4X5", "XYZ/+3", "X.Y3", "X_Y3", "X_Y-3", "X/Y/0", "America/New_Yo0rk", "\u00c43",
    "XYZ5DST,M3.2.0,M11.1.0", "XYZ5DST,M3.2.0/2,M11.1.0/02", "XYZ5DST,M3.2.0/123,M11.1.0", "XYZ5DST,M3.0.0,M11.1.0", "XYZ5DST,M3.2,M11.1.0", "XYZ5DST,J60,J300", "XYZ5DST,59,299", "XYZ5DST,J400,J500", "XYZ5DST,", "XYZ5,M3.2.0,M11.1.0", "XYZ5DST,M3.2.0", "XYZ5DST;M3.2.0;M11.1.0",
    "Europe/Berlin", "europe/berlin", "America/New_York;VALUE=DATE", "GMT0", "UTC", "Utc", "GMT", "gmt", "UTC0", "UTC+14", ".5", "A.5", "..5", "A5.", "A5B.", "A-5-", "A5-3", "A5B-3-")]
RRULES += ["FREQ=DAILY;COUNT=" + "0" * 4299 + "1", "FREQ=DAILY;COUNT=" + "0" * 4300 + "1", "FREQ=MINUTELY;INTERVAL=1" + "0" * 300, "FREQ=MINUTELY;INTERVAL=1" + "0" * 310,
           "FREQ=MINUTELY;INTERVAL=-1" + "0" * 30, "DTSTART;TZID=Europe/Berlin:20240101T090000\n" * 3 + "FREQ=DAILY;UNTIL=20250101T000000Z"]

DATES = """20240131|20240131T09|20240131T0900|20240131T090000|20240131T090000Z|20240131T090000.5|20240131T090000+0100|20240131T090000+01:00|20240131T090000-5|202401310900|20240131090000|240131|2024|2401|24|31|5|0|100|101|999|20240230|20240230T00|2024-01-31|2024-1-1|24-1-31|1-31-24|31-1-24|2024/01/31|2024.01.31|31.01.2024|
1.5|12.5|1.5.2024|5JAN|5JAN2024|JAN5|JAN-5|JAN-5-24|JAN/5/2024|5-JAN-2024|5/JAN/24|5.JAN.2024|JAN|JANUARY|SEPT|SEPTEMBER5|2024JAN|99JAN|JAN99|32JAN|JAN32|MON|MONDAY|FRI13|10AM|10PM|13PM|0AM|12AM|10:30|10:30AM|10:30:15|10:30:15.25|10:30.5|24:00|10:60|10H|10H30|10H30M|10H30M15S|10H30M15.5|10.5H|30M|15S|10HOURS|10MINUTES|H10|M5|S5|
10:00UTC|10:00GMT|10:00EST|10:00Z|10:00ZZ|10:00UTC+3|10:00GMT-3|10:00EST+3|10:00ABCDEF|10:00+3(EST)|10:00+03:00,(EST)|10:00+0300-(EST)|10:00+|10:00+123|10:00+1:2|10:00+99:99|10:00+9999|10:00-00:00|UTC|Z|T|-|,|.|'|;|AT|AD|M|A|P|AM|NAN|INF|INFINITY|1E5|0X5|1_0|+5|-5|--|2024-|2024--01|2024-01-|-2024|2024-01-31-05|1-2-3-4|1-2-3|13-2-3|32-2-3|2-32-3|2-3-32|13-13-1|1-13-13|
10T|10TH|5THJAN|1ST|3RD|2ND|JANOF|20240131AT10:00|20240131,10:00|12,5|1,5|20240131.|20240131..5|A.M.|10A.M.|10:00A.M.|1.A|1.2.3|1.2.3.4|1.JAN|JAN.5|JAN.5.2024|SEP.20.2009|20090920.5|123456.5|123456.1234567|1234567|12345678.9|123456789|1234567890|123456789012|12345678901|1234567890123|12345678901234|99999999|00000000|00010101|99991231|000101|010100|290200|290224|290223|022924|20240131T24|20240131T2360|20240131T2359|20240131T236000|20240131T23596|
²|1²|٢٠٢٤٠١٣١|２０２４０１３１|(5)|5(|?|5?|2024-01-31T10:00:00.123456789Z|2024-W05-1|2024-031|20240131T10:00:00+|1/2|13/2|2/13|32/2|2/32|32/32|1/JAN|JAN/1|JAN-|JAN-X|5-X|5-JAN-X|2024-JAN|JAN-2024|JAN2024-5|5JANFEB|JANFEB|5,6,7|5,6,7,8|5;6|5'6|5A|23A|24A|23.5A|5P|5PM6|5T6|5:6T7|20240131T10T11|0.5|31.5|5X|0X|JAN5X|FEB30X|FEB29X|2023FEB29X|10:00:00:00|10:00:X|10:X|X:10|10:|:10|10::5|1:2:3.4.5""".replace("\n", "").split("|")
ANCHORS = ["12:30+31:00", "12:30+24:00", "12:30-99:99", "T12:30-48:00", "T1230+2401"] + ANCHORS


def generated(seed, count):
    """count more texts of each kind, from pieces."""
    r = random.Random(seed)
    pick = lambda *pieces: r.choice(pieces)
    low = lambda f, hi, n: "".join(f() for _ in range(r.randint(hi, n)))

    def cron_item(i):
        n = lambda: str(r.choice([0, 1, 2, 3, 5, 6, 7, 8, 12, 13, 23, 24, 28, 31, 32, 59, 60, 1970, 2020, 2099, 2100] if r.random() < .5 else range(0, 8)))
        name = lambda: pick("sun", "MON", "tue", "wed", "thu", "fri", "SAT", "jan", "FEB", "mar", "dec", "l", "L")
        v = lambda: name() if r.random() < (.3 if i in (3, 4) else .05) else n()
        return pick(lambda: v(), lambda: v(), lambda: "*", lambda: f"{v()}-{v()}", lambda: f"*/{n()}", lambda: f"{v()}/{n()}", lambda: f"{v()}-{v()}/{n()}",
                    lambda: f"{v()}#{n()}" if i == 4 else v(), lambda: f"{name()}-{name()}#{n()}" if i == 4 else v(), lambda: f"l{n()}" if i == 4 else v(),
                    lambda: pick("?", "", "L", "W", "R", "R(1-5)", "r(0-20)/3", "-1") if r.random() < .2 else v())()

    def cron():
        size = r.choice([5, 5, 5, 5, 6, 7, 4])
        wild = r.randrange(size)
        field = lambda i: ",".join(cron_item(i) for _ in range(r.choice([1, 1, 2, 3, 8 if i == 4 else 1]))) if i == wild or r.random() < .25 else "*"
        return " ".join(field(i) for i in range(size))

    def soup(alphabet, longest):
        return "".join(r.choice(alphabet) for _ in range(r.randint(1, longest)))

    def mutate(text):
        for _ in range(r.randint(1, 2)):
            at = r.randrange(len(text) + 1)
            other = r.choice(text or " ")
            text = pick(text[:at] + text[at + 1:], text[:at] + other + text[at:], text[:at] + other + text[at + 1:])
        return text

    def interval():
        return pick(lambda: soup("PT0123.DHMSYW", 9), lambda: "P" + soup("T0125.DHMSYW", 8), lambda: mutate(r.choice(INTERVALS[:250])), lambda: soup("01:2.", 9),
                    lambda: soup("12 days,:0", 12), lambda: "P" + "".join(f"{r.randint(0, 99)}{u}" for u in r.sample("YMWD", r.randint(0, 3))) + "T" + f"{r.randint(0, 9)}.{r.randint(0, 999999)}{r.choice('HMS')}")()

    def anchor():
        return pick(lambda: mutate(r.choice(ANCHORS[:-1])), lambda: mutate(r.choice(ANCHORS[:-1])), lambda: soup("0123-:TZ/ .+W", 16),
                    lambda: f"{r.randint(1, 9999):04}-{r.randint(1, 13):02}-{r.randint(1, 32):02}T{r.randint(0, 25):02}:{r.randint(0, 61):02}:{r.randint(0, 61):02}" + pick("", "Z", "+01:00", "-0930", "+05", ".25"),
                    lambda: f"{r.randint(1, 9999):04}-W{r.randint(0, 54):02}-{r.randint(0, 8)}", lambda: f"{r.randint(1, 9999):04}{r.randint(0, 370):03}")()

    def date():
        return pick(lambda: r.choice(DATES), lambda: mutate(r.choice(DATES)), lambda: mutate(r.choice(DATES)), lambda: soup("0123-:TZ/.+", 12),
                    lambda: "".join(r.choice(["10", "5", "2024", "JAN", "-", ":", "/", ".", "H", "M", "S", "AM", "T", "UTC", "+", "20240131", "31", ",", "MON", "123456", "FEB", "EST", "Z", "(", ")"]) for _ in range(r.randint(1, 6))))()

    def number():
        return str(r.choice([0, 1, 2, 3, 5, 8, 12, 15, 20, 23, 24, 30, 59, 60, 90, -1, -2, 366, 367]))

    def rule():
        parts = ["FREQ=" + pick("YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY", "MINUTELY", "SECONDLY", "HOURLY", "MINUTELY")]
        for _ in range(r.randint(0, 3)):
            parts.append(pick(lambda: "INTERVAL=" + number(), lambda: "COUNT=" + number(), lambda: pick("BYHOUR=", "BYMINUTE=", "BYSECOND=", "BYSETPOS=", "BYMONTH=", "BYMONTHDAY=") + ",".join(number() for _ in range(r.randint(1, 3))),
                              lambda: "BYDAY=" + ",".join(pick("", "+1", "-1", "2", "0") + pick("MO", "TU", "WE", "SU", "XX") for _ in range(r.randint(1, 3))), lambda: "UNTIL=" + date().replace("\n", ""), lambda: "WKST=" + pick("MO", "SU", "X"))())
        r.shuffle(parts)
        return ";".join(parts)

    def rrule():
        start = lambda: "DTSTART" + pick("", "", ";TZID=Europe/Berlin", ";VALUE=DATE", ";TZID=Nowhere", ";TZID=America/New York", ";TZID=GMT0", ";TZID=XYZ", ";TZID=XYZ-3") + ":" + pick("20240101T090000", "20240101T091530Z", date()) + pick("\n", " ")
        return pick(rule, rule, lambda: "RRULE:" + rule(), lambda: start() + rule(), lambda: start() + "RRULE:" + rule(), lambda: "FREQ=DAILY;UNTIL=" + date(), lambda: "DTSTART:" + date() + "\nFREQ=DAILY", lambda: "RDATE:" + date() + "," + date(),
                    lambda: "RRULE:" + rule() + "\n" + pick("EXDATE:" + date(), "RDATE:" + date(), "EXRULE:" + rule(), "RRULE:" + rule()), lambda: mutate(r.choice(RRULES)), lambda: mutate(rule()))()

    many = lambda f: [f() for _ in range(count)]
    return {"cron": many(cron), "interval": many(interval), "anchor": many(anchor), "rrule": many(rrule)}


def cases(seed=1, count=600):
    more = generated(seed, count)
    unique = lambda items: list(dict.fromkeys(items))
    return {
        "cron": unique(CRON + more["cron"]),
        "zone": unique(ZONES + (importlib.resources.files("tzdata") / "zones").read_text().split()),
        "interval": unique(INTERVALS + more["interval"]),
        "number": NUMBERS,
        "anchor": unique(ANCHORS + more["anchor"]),
        "rrule": unique(RRULES + ["FREQ=DAILY;UNTIL=" + d for d in DATES] + ["DTSTART:" + d + "\nFREQ=DAILY" for d in DATES] + ["EXDATE:" + d for d in DATES if ":" in d] + more["rrule"]),
    }
