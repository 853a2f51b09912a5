"""The public SpamAssassin rules over real mail, here and in Debian's spamassassin."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from mxtest import corpus, saparity, spamassassin
from mxward.core.rules.spamassassin.parse import parse_files

pytestmark = pytest.mark.integration
N_MAILS = 200  # what CI has time for; `./build.sh campaign spamassassin` compares 1,000
WHERE_RULES_ARE_SAID = Path(spamassassin.__file__).with_name("spamassassin_rules.pl")


def test_decisions_are_spamassassins() -> None:
    spamassassin.need()
    corpus.need()
    engine, report = saparity.stock_engine()
    assert report.problems == []
    assert report.faults == {}
    parity = saparity.compare(saparity.sample(N_MAILS), engine)
    assert parity.n_messages == N_MAILS
    assert parity.fired > 40 * N_MAILS, "too little fires to compare"
    assert parity.share >= 0.99, parity.to_dict()
    assert parity.strict_share >= 0.97, parity.to_dict()


def test_rules_are_read_as_spamassassin_reads_them() -> None:
    spamassassin.need()
    folder = spamassassin.rules_dir()
    done = subprocess.run(
        ["perl", str(WHERE_RULES_ARE_SAID), str(folder), str(spamassassin.PRE)], capture_output=True, check=True
    )
    theirs = json.loads(done.stdout.decode("latin-1"))
    config = parse_files({path.name: path.read_text("latin-1") for path in sorted(folder.glob("*.cf"))})
    assert set(config.tests) == set(theirs["kinds"])
    for name, test in config.tests.items():
        assert theirs["scores"][name] == pytest.approx(config.score(name, 0)), name
        assert set(theirs["flags"].get(name, "").split()) - {"net"} == config.flags.get(name, frozenset()) - {"net"}, (
            name
        )
        if test.kind in ("header", "body", "rawbody", "uri", "full"):
            source = test.pattern.source
            source = config.tags.apply(source) if name in config.replaced else source
            assert theirs["patterns"][name].endswith(source.replace("%{GB_TO_ADDR}", "%\\{GB_TO_ADDR\\}")), name
            assert theirs["headers"].get(name, "") == test.target, name
            assert theirs["unset"].get(name) == test.unset, name
            assert theirs["negated"].get(name, 0) == test.negated, name
