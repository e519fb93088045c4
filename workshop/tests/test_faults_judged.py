"""A fault that does not end as stated is found: by each thing that is stated, and with a script that is broken."""

from dataclasses import replace
from pathlib import Path

import pytest

from rehearsal_faults import COMPLETE, NOBODY, NOTHING, Base, Ending, Fault, Scene, judge, play
from test_faults_of_publishing import FAULTS, send_other_sdist
from workshop.rehearsing.runner import Ran

REFUSED = Ran("job", "row", "uv publish dist/*", 1, 2, "Caused by: the file\n   exists already")
WENT_WELL = Ran("job", "row", "make check-index", 1, 0, "all there")
STATED = Fault(lambda _: None, "uv publish", "the file exists")
OVERCOME = replace(STATED, sees="all there", ends=COMPLETE)
EVERYTHING = Ending([REFUSED, WENT_WELL], COMPLETE, green=True)


@pytest.mark.parametrize(
    ("fault", "ending", "complaints"),
    [
        (STATED, Ending([REFUSED], NOTHING, green=False), []),
        (STATED, Ending([REFUSED], NOTHING, green=None), []),
        (STATED, Ending([], NOTHING, green=None), ["nothing has failed", "nobody was told: the file exists"]),
        (STATED, Ending([REFUSED], "3 of 4 files", green=False), ["3 of 4 files is on the index"]),
        (STATED, Ending([REFUSED], NOTHING, green=True), ["CI's last run has ended well"]),
        (replace(STATED, sees="all there"), Ending([WENT_WELL, REFUSED], NOTHING, green=False), ["nobody was told"]),
        (
            replace(STATED, stops=NOBODY),
            Ending([REFUSED], NOTHING, green=False),
            ["uv publish dist/* has failed"],
        ),
        (OVERCOME, EVERYTHING, []),
        (OVERCOME, replace(EVERYTHING, green=False), ["CI's last run has ended badly"]),
        (replace(OVERCOME, green=False), EVERYTHING, ["CI's last run has ended well"]),
        (replace(OVERCOME, stops="make check-index"), EVERYTHING, ["uv publish dist/* has failed"]),
    ],
)
def test_a_fault_is_judged_by_what_stops_it_what_is_said_what_is_there_and_how_ci_ends(
    fault: Fault, ending: Ending, complaints: list[str]
) -> None:
    found = list(judge(fault, ending))
    assert len(found) == len(complaints)
    assert all(one.startswith(words) for one, words in zip(found, complaints, strict=True)), found


def test_a_script_that_does_not_look_at_names_before_anything_is_sent_is_found(rehearsed: Base, tmp_path: Path) -> None:
    script, looks = (
        "roadworthy/src/roadworthy/ci/built.py",
        'file.digests.get("sha256") != sums.get(file.filename, "")',
    )
    blind = f"grep --quiet --fixed-strings '{looks}' {script} && sed -i 's/{looks}/not file.filename/' {script}"

    def spoiled(scene: Scene) -> None:
        send_other_sdist(scene)
        scene.go(scene.start("make collect", without=("make verify",), before={"make check-names": blind}))

    (stated,) = (replace(fault, play=spoiled) for fault in FAULTS if str(fault) == "other_bytes_there")
    found = list(judge(stated, play(stated, rehearsed, tmp_path / "place")))
    assert "3 of 4 files is on the index, and nothing is stated" in found
