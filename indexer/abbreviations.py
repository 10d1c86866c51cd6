"""Words that tell whether a full stop ends a sentence, before it and behind it.

They are what English-language news is full of, with the commonest of German, French, Spanish and
Russian. Case counts: ``Wed`` is a day, ``wed`` a verb. Stops at the end are left out.
"""

# ruff: noqa: SIM905 - words in a string read better than a column of two hundred literals

from __future__ import annotations

NEVER_LAST = frozenset(
    (
        "Mr Mrs Ms Mx Messrs Dr Drs Prof Rev Fr Hon Msgr Gen Lt Col Maj Capt Cmdr Cdr Adm Brig Sgt "
        "Cpl Pvt Sen Sens Rep Reps Gov Govs Pres Amb Supt Insp Det Atty vs e.g i.e cf viz "
        "Mme Mlle MM Hr bzw ca vgl z.B d.h Sig Sra Srta им ул"
    ).split()
)
"""The sentence goes on: titles stand before names, and these little words before what they mean."""

NUMBERED = frozenset("No Nos Nr no nos Art Ch Fig Figs Sec Vol p pp Mar Apr Jun Jul №".split())
"""The sentence goes on if a digit follows."""

SELDOM_LAST = frozenset(
    (
        "Inc Corp Co Cos Ltd Bros Jr Sr Esq St Ste Ave Blvd Rd Hwy Mt Ft Dept Univ Assn Ph.D al "
        "approx est Jan Feb Aug Sep Sept Oct Nov Dec Mon Tues Wed Thurs Fri "
        "Ala Ariz Ark Calif Colo Conn Del Fla Ga Ill Ind Kan Ky La Mass Md Mich Minn Miss Mo Mont "
        "Neb Nev Okla Ore Pa Tenn Tex Va Vt Wash Wis Wyo "
        "EE UU Mio Mrd гг др руб млн млрд тыс"
    ).split()
)
"""The sentence ends only if one of ``STARTERS`` follows, as with initials ("U.S.", "J. K.")."""

STARTERS = frozenset(
    (
        "the a an this that these those there here he she it they we you i his her its their our "
        "my who what when where why how which while if although though because since after before "
        "as at by during for from in on over to under until with without despite and but or so yet "
        "however meanwhile instead still also then now thus according some many most several both "
        "all not even once "
        "der die das ein eine er es wir ich und aber doch dabei nach im mit auch "
        "le les il elle ils elles un une mais et dans una pero "
        "он она оно они это этот в во на по но и а как так мы вы я однако при для за из об если"
    ).split()
)
"""Words, in small letters, that begin sentences far more often than names."""

HOURS = frozenset("a.m p.m A.M P.M".split())
"""The sentence goes on only if one of ``AFTER_HOURS`` follows."""

AFTER_HOURS = frozenset(
    (
        "Monday Tuesday Wednesday Thursday Friday Saturday Sunday "
        "Mondays Tuesdays Wednesdays Thursdays Fridays Saturdays Sundays "
        "January February March April May June July August September October November December "
        "Jan Feb Mar Apr Aug Sept Oct Nov Dec Mon Tue Tues Wed Thu Thurs Fri Sat Sun "
        "Eastern Central Mountain Pacific ET EST EDT CT CST CDT MT MST MDT PT PST PDT "
        "GMT UTC BST CET CEST MSK IST"
    ).split()
)
"""Days, months and time zones."""

GERMAN_MONTHS = frozenset(
    (
        "Januar Jänner Februar März April Mai Juni Juli August September Oktober November Dezember"
    ).split()
)
"""After a day of the month, which German writes with a full stop, the sentence goes on."""
