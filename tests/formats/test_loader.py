"""A case is read with its units, and every mistake is told by file, line and path."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from voltherm.formats import ConfigurationError, configuration, study
from voltherm.study import DesignVariables, sample

BUILDING = "configs/campus/abilene_building.yaml"


@pytest.fixture
def case(tmp_path: Path, project_root: Path) -> Path:
    file = tmp_path / "case.yaml"
    file.write_text((project_root / BUILDING).read_text(encoding="utf-8"), encoding="utf-8")
    return file


def changed(case: Path, old: str, new: str) -> tuple[Path, int]:
    """The case with one text replaced, and the line of it."""
    text = case.read_text(encoding="utf-8")
    assert text.count(old) == 1, old
    case.write_text(text.replace(old, new), encoding="utf-8")
    return case, text[: text.index(old)].count("\n") + 1


def problems(file: Path, overrides: tuple[str, ...] = ()) -> list[str]:
    with pytest.raises(ConfigurationError) as raised:
        configuration(file, overrides)
    assert raised.value.exit_code == 2
    return [str(problem) for problem in raised.value.problems]


def test_values_in_si(case: Path):
    site, document = configuration(case)
    assert site.secondary.supply_temperature == pytest.approx(313.15)
    assert site.rack.gpu.interface_resistance == pytest.approx(1e-5)
    assert site.climate.monthly_mean[0] == pytest.approx(280.85)
    assert site.electrical.ups.load == pytest.approx((0.1, 0.25, 0.5, 0.75, 1.0))
    assert site.building.racks_per_row == 11
    assert document.name == "Abilene building"
    assert len(document.values) > 200


@pytest.mark.parametrize(
    ("old", "new", "path", "message"),
    [
        ("  rows_per_hall: 16", "  rows_pr_hall: 16", "building.rows_pr_hall", "did you mean 'rows_per_hall'?"),
        ("  volume: 5000 m3", "  volume: 5000 kg", "facility.volume", "unit 'kg' is not known"),
        ("  main_length: 150 m ", "  main_length: -150 m ", "facility.main_length", "-150 m is below 0.1 m"),
        (
            "  fluid: propylene glycol 35 %vol",
            "  fluid: watr",
            "facility.fluid",
            "fluid 'watr' is not known: did you mean 'water'?",
        ),
        ("glycol 25 %vol", "glycol 5 %vol", "secondary.fluid", "outside the fluid tables, which hold 10 to 60 %vol"),
        ("  racks_per_row: 11", "  racks_per_row: 0", "building.racks_per_row", "a CDU without racks"),
        ("  feeders: 8", "  feeders: 0", "electrical.feeders", "disconnected from the intake"),
        ("  feeders: 8", "  feeders: 65", "electrical.feeders", "a feeder without a row is disconnected; at most 64"),
        ("  pumps: 16", "  pumps: 0", "facility.pumps", "a loop without a pump"),
        (
            "  supply_temperature: 40 degC",
            "  supply_temperature: 88 degC",
            "secondary.supply_temperature",
            "leaves a GPU above",
        ),
        ("  supply_offset: 4 K", "  supply_offset: 59 K", "facility.supply_offset", "is below freezing of"),
        ("vk: 10 %, vkr: 0.3 %", "vk: 10 %, vkr: 12 %", "electrical.main_transformer.vkr", "is not below vk 10 %"),
        (
            "10 25 50 75 100 %",
            "10 25 75 50 100 %",
            "electrical.ups.load",
            "loads have to increase: 50 % stands behind 75 %",
        ),
        ("93.0 95.6 96.8 97.0 96.8 %", "93.0 95.6 96.8 97.0 %", "electrical.ups.load", "5 loads for 4 efficiencies"),
        ("93.0 95.6", "930 95.6", "electrical.ups.efficiency", "930 % is above 100 %"),
        (
            "unit_substation: {rating: 2.5 MVA",
            "unit_substation: {rating: 1 MVA",
            "electrical.unit_substation.rating",
            "needs at least 1.5 MVA",
        ),
        ("ups: {rating: 3.3 MVA", "ups: {rating: 1 MVA", "electrical.ups.rating", "needs at least 1.44 MVA"),
        (
            "power_shelf: {rating: 198 kW",
            "power_shelf: {rating: 100 kW",
            "electrical.power_shelf.rating",
            "a rack draws 131 kW",
        ),
        (
            "main_transformer: {rating: 120 MVA",
            "main_transformer: {rating: 40 MVA",
            "electrical.main_transformer.rating",
            "needs at least 46",
        ),
        (
            "  air_heat: 17 kW",
            "  air_heat: 0 kW",
            "rack.air_heat",
            "does not cover the loss of the rack's power shelves",
        ),
        ("rating: 450 A", "rating: 100 A", "electrical.feeder.rating", "a feeder with 8 rows carries"),
        ("  step: 15 s", "  step: 3 h", "ride_through.step", "3 h is above 3600 s"),
        (
            "expansion_pressure: 300 kPa(a)     # held",
            "expansion_pressure: 3 bar     # held",
            "secondary.expansion_pressure",
            "'bar' does not say whether it counts from vacuum or from the air's pressure",
        ),
        ("  step: 15 s", "  step: 200 s", "ride_through.step", "longer than water stays in the facility's supply pipe"),
        (
            "  rated_fan_power: 117.7 kW",
            "  rated_air_flow: 100 m3/s\n  rated_fan_power: 117.7 kW",
            "dry_coolers.rated_air_flow",
            "more than 230 m3/s",
        ),
        ("  minimum_speed: 15 %", "  minimum_speed: 100 %", "dry_coolers.minimum_speed", "has to be below"),
        (
            "  count: 48                          # 1.5",
            "  count: [48]  # 1.5",
            "dry_coolers.count",
            "one value is needed here",
        ),
        ("  air_heat: 17 kW", "  air_heat: 17", "rack.air_heat", "'17' has no unit: write a power such as '17 W'"),
        ("  approach: 3 K", "  approach: 3 degC", "cdu.approach", "a temperature difference is needed"),
        (
            "  house_load: 400 kW",
            "  # house_load: 400 kW",
            "electrical.house_load",
            "is missing: write 'house_load: …', lights, controls, offices of a building (such as 400 kW)",
        ),
        (
            "  rated_outlet: 40.6 degC",
            "  rated_outlet: 50 degC",
            "dry_coolers.rated_outlet",
            "has to be below dry_coolers.rated_inlet",
        ),
        ("29.0 24.9", "24.9", "climate.monthly_mean", "holds 11 numbers where 12 are needed"),
        ("  halls: 4", "  halls: four", "building.halls", "'four' is not a whole number"),
        ("voltherm: 1", "voltherm: 2", "voltherm", "'2' is not a choice"),
    ],
)
def test_each_mistake_has_its_line(case: Path, old: str, new: str, path: str, message: str):
    file, line = changed(case, old, new)
    found = problems(file)
    if "missing" in message:
        # shown at the section that lacks it
        line = next(n for n, text in enumerate(case.read_text().splitlines(), start=1) if text == "electrical:")
    wanted = [one for one in found if one.startswith(f"{file}:{line}: {path}: ") and message in one]
    assert wanted, f"wanted {file}:{line}: {path}: …{message}…, found {found}"


def test_the_least_heat_to_air_is_told_and_passes(case: Path):
    (told,) = problems(case, ("rack.air_heat=1 kW",))
    least = re.search(r"at least (\S+ kW)$", told)
    assert least
    assert configuration(case, (f"rack.air_heat={least[1]}",))


def test_a_curve_that_is_none_is_told_once(case: Path):
    (told,) = problems(case, ("electrical.power_shelf.load=10 20 50 %",))
    assert told.startswith("--set:1: electrical.power_shelf.load: holds 3 loads for 5 efficiencies")


def test_supply_below_what_is_told_passes(case: Path):
    (told,) = problems(case, ("secondary.supply_temperature=70 degC", "rack.load_factor=60 %"))
    below = re.search(r"leaves a GPU above its limit of 87 degC: .* supply below (\S+) degC$", told)
    assert below
    assert configuration(
        case, (f"secondary.supply_temperature={float(below[1]) - 0.1:g} degC", "rack.load_factor=60 %")
    )


def test_fifty_thousand_racks(case: Path):
    found = problems(case, ("building.racks_per_row=782",))
    assert any("50,048 racks of 131 kW, 6.56 GW in one building: at most 3,813 such racks" in one for one in found)
    assert any(one.startswith("--set:1: building.racks_per_row: ") for one in found)


def test_all_mistakes_in_one_go(case: Path):
    changed(case, "  halls: 4", "  hals: 4")
    changed(case, "  fluid: propylene glycol 35 %vol", "  fluid: watr")
    changed(case, "  main_length: 150 m ", "  main_length: -150 m ")
    found = problems(case, ("cdu.approach=3 degC", "nonsense", "cdu.aproach=3 K"))
    assert len(found) == 7
    assert sum(one.startswith("--set:") for one in found) == 3


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("voltherm: 1\nvoltherm: 1\n", 2, "voltherm: stands twice, first on line 1"),
        ("name: !!python/object/apply:os.system [true]\n", 1, "tag"),
        ("a: !custom x\n", 1, "tag '!custom' is not allowed"),
        ("a: &anchor x\nb: *anchor\n", 2, "alias '*anchor' is not allowed"),
        ("a: {<<: 1}\n", 1, "merge keys are not allowed"),
        ("a: 1\n---\nb: 1\n", 2, "a second document begins here"),
        ("a: [1, 2] kPa\n", 1, "text behind a list"),
        ("a:\n\tb: 1\n", 2, "indented with a tab"),
        ("- a\n", 1, "a configuration is a mapping"),
        ("", 1, "the file is empty"),
        ("a: " + "[" * 40 + "]" * 40, 1, "levels deep"),
    ],
)
def test_form_of_the_file(tmp_path: Path, text: str, line: int, message: str):
    file = tmp_path / "form.yaml"
    file.write_text(text, encoding="utf-8")
    found = problems(file)
    assert any(one.startswith(f"{file}:{line}: ") and message in one for one in found), found


def test_size_encoding_and_absence(tmp_path: Path):
    file = tmp_path / "large.yaml"
    file.write_bytes(b"#" * 1_000_001)
    assert "larger than 1 MB" in problems(file)[0]
    file.write_bytes(b"a: 1\nb: \xff\n")
    assert problems(file) == [f"{file}:2: is not text in UTF-8 (byte 9)"]
    assert problems(tmp_path / "absent.yaml") == [f"{tmp_path / 'absent.yaml'}:1: there is no such file"]
    assert "is a folder" in problems(tmp_path)[0]


def test_base_is_inherited(case: Path):
    campus = case.parent / "campus.yaml"
    campus.write_text("voltherm: 1\nbase: case.yaml\nname: campus\nbuilding:\n  count: 8\n", encoding="utf-8")
    site, document = configuration(campus)
    assert (site.building.count, site.building.halls) == (8, 4)
    count = next(value for value in document.values if value.path == "building.count")
    halls = next(value for value in document.values if value.path == "building.halls")
    assert (Path(count.file).name, count.line) == ("campus.yaml", 5)
    assert Path(halls.file).name == "case.yaml"
    changed(case, "  fluid: propylene glycol 35 %vol", "  fluid: watr")
    assert problems(campus)[0].startswith(f"{case}:")


@pytest.mark.parametrize("base", ["../secret.yaml", "/etc/passwd", "below/../../secret.yaml"])
def test_base_stays_in_its_folder(tmp_path: Path, base: str):
    (tmp_path / "secret.yaml").write_text("name: secret\n", encoding="utf-8")
    (tmp_path / "cases" / "below").mkdir(parents=True)
    file = tmp_path / "cases" / "case.yaml"
    file.write_text(f"voltherm: 1\nbase: {base}\n", encoding="utf-8")
    assert f"{file}:2: base: '{base}' lies outside the folder of this case" in "\n".join(problems(file))


def test_base_in_a_circle(tmp_path: Path):
    file = tmp_path / "case.yaml"
    file.write_text("base: case.yaml\n", encoding="utf-8")
    assert any("in a circle" in one for one in problems(file))


def test_shipped_studies(project_root: Path):
    read = study(project_root / "configs/sweep/abilene_supply_temperature.yaml")
    assert read.settings.designs >= 10_000
    assert read.variables[0] == {
        "path": "secondary.supply_temperature",
        "unit": "K",
        "minimum": pytest.approx(298.15),
        "maximum": pytest.approx(321.15),
    }
    assert study(project_root / "configs/tune/abilene_cost.yaml").settings.kind == "site"
    plate = study(project_root / "configs/tune/cold_plate.yaml")
    assert plate.case is None
    assert len(plate.settings.flow) == len(plate.settings.resistance)


def test_studies_override_themselves_and_their_case(project_root: Path):
    file = project_root / "configs/sweep/abilene_supply_temperature.yaml"
    read = study(file, ("sweep.designs=8", "rack.load_factor=50 %"))
    assert read.settings.designs == 8
    assert read.case is not None
    assert read.case[0].rack.load_factor == 0.5


@pytest.mark.parametrize(
    ("variable", "message"),
    [
        (
            "{path: secondary.supply_temprature, minimum: 30 degC, maximum: 40 degC}",
            "did you mean 'secondary.supply_temperature'?",
        ),
        ("{path: building.halls, minimum: 1, maximum: 4}", "cannot be moved by a study"),
        ("{path: cdu.approach, minimum: 3 degC, maximum: 4 K}", "a temperature difference is needed"),
        ("{path: cdu.approach, minimum: 4 K, maximum: 3 K}", "4 K is not below the maximum, 3 K"),
        ("{path: cdu.approach, minimum: 4 K}", "write minimum and maximum of cdu.approach, or its values"),
        ("{path: cdu.approach, values: 1 2 K, minimum: 3 K}", "write either values, or minimum and maximum"),
        ("{path: cdu.approach, values: 1 200 K}", "200 K is outside what cdu.approach may be, from 0.1 K to 50 K"),
        ("{path: cdu.approach, lower: 3 K}", "there is no 'lower'"),
    ],
)
def test_mistakes_in_variables(case: Path, variable: str, message: str):
    file = case.parent / "study.yaml"
    file.write_text(
        f"voltherm: 1\nname: x\nsweep:\n  case: case.yaml\n  variables:\n    - {variable}\n", encoding="utf-8"
    )
    with pytest.raises(ConfigurationError) as raised:
        study(file)
    assert any(
        str(one).startswith(f"{file}:6: sweep.variables[1]") and message in str(one) for one in raised.value.problems
    )


@pytest.mark.parametrize(
    ("variables", "designs", "least"),
    [
        (["minimum: 1 K, maximum: 2 K", "minimum: 30 degC, maximum: 40 degC"], 3, 4),
        (["values: 1 2 3 K", "minimum: 30 degC, maximum: 40 degC"], 5, 6),
        (["values: 1 2 3 K", "values: 30 40 degC"], 1, None),
    ],
)
def test_a_grid_has_room_for_the_ends_of_its_ranges(case: Path, variables: list[str], designs: int, least: int | None):
    file = case.parent / "study.yaml"
    paths = ("cdu.approach", "secondary.supply_temperature")
    lines = "".join(f"    - {{path: {path}, {span}}}\n" for path, span in zip(paths, variables, strict=True))
    file.write_text(
        f"voltherm: 1\nname: x\nsweep:\n  case: case.yaml\n  sampler: grid\n  designs: {designs}\n"
        f"  variables:\n{lines}",
        encoding="utf-8",
    )
    if least is not None:
        with pytest.raises(ConfigurationError, match=rf"study.yaml:6: sweep.designs: .* at least {least}, or"):
            study(file)
        file.write_text(file.read_text().replace(f"designs: {designs}", f"designs: {least}"))
    read = study(file)
    points = sample(DesignVariables.build(read.variables), sampler="grid", designs=read.settings.designs)
    assert len(points) == 6 if least != 4 else 4


def test_values_of_a_variable(case: Path):
    file = case.parent / "study.yaml"
    text = "voltherm: 1\nname: x\nsweep:\n  case: case.yaml\n  sampler: grid\n  variables:\n"
    file.write_text(text + "    - {path: cdu.approach, values: [1 K, 2 K]}\n", encoding="utf-8")
    assert study(file).variables == ({"path": "cdu.approach", "unit": "K", "values": [1.0, 2.0]},)
    file.write_text(
        text.replace("grid", "list") + "    - {path: cdu.approach, minimum: 1 K, maximum: 2 K}\n", encoding="utf-8"
    )
    with pytest.raises(ConfigurationError, match="give each as many values"):
        study(file)


@pytest.mark.parametrize("named", ["../../other.yaml", "/etc/passwd", "absent.yaml"])
def test_case_of_a_study_is_near(tmp_path: Path, named: str):
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    file = folder / "study.yaml"
    file.write_text(f"voltherm: 1\nname: x\nsweep:\n  case: {named}\n  variables: []\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match=rf"study.yaml:4: sweep.case: .*{Path(named).name}"):
        study(file)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("  rows_per_hall: 16", "  rows_per_hall: " + "9" * 4_301, "has 4,301 digits: rows of racks in a hall"),
        ("  rows_per_hall: 16", "  rows_per_hall: -" + "9" * 900_000, "has 900,001 digits"),
        ("  rows_per_hall: 16", "  rows_per_hall: ١٢", "is not a whole number"),
        ("  feeders: 8", "  feeders: 0x10", "is not a whole number"),
        ("name: Abilene building", "name: " + "x" * 100_000, "has 100,000 characters: at most 1,000"),
        ("name: Abilene building", 'name: "\\e]0;title\\a"', "holds a character that does not print"),
        ("name: Abilene building", 'name: "\\u202egnidliub"', "holds a character that does not print"),
        ("name: Abilene building", 'name: "two\\nlines"', "holds a character that does not print"),
    ],
    ids=["digits", "many digits", "arabic digits", "hexadecimal", "long", "escapes", "direction", "lines"],
)
def test_numbers_and_names_of_bounded_size(case: Path, old: str, new: str, message: str):
    file, line = changed(case, old, new)
    found = problems(file)
    assert any(message in each for each in found), found[0][:300]
    assert all(f"case.yaml:{line}:" in each for each in found if message in each)
    assert max(len(each) for each in found) < 1_000


def test_a_long_list_is_refused_and_takes_no_time_of_its_square(case: Path):
    file, _ = changed(case, '"93.0 95.6 96.8 97.0 96.8 %"', '"' + "50 " * 200_000 + '%"')
    assert any("holds 200,000 numbers: at most 1,000" in each for each in problems(file))


def test_of_very_many_mistakes_the_first_are_told(case: Path):
    text = case.read_text(encoding="utf-8")
    case.write_text("\n".join(f"x{number}: 1" for number in range(64_285)) + "\n" + text, encoding="utf-8")
    with pytest.raises(ConfigurationError) as raised:
        configuration(case)
    assert len(raised.value.problems) == 100
    assert raised.value.left_out == 64_185
    assert "did you mean" in str(raised.value) or "known here" in str(raised.value)


def test_a_case_is_read_without_heavy_libraries(project_root: Path):
    code = (
        "import sys\n"
        f"from voltherm.formats import configuration\nconfiguration({BUILDING!r})\n"
        "heavy = {'jax', 'numpy', 'scipy', 'h5py'} & set(sys.modules)\nassert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=project_root, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("variable", "told"),
    [
        ("{path: secondary.supply_temperature, minimum: -4 degC, maximum: 40 degC}", "at -4 degC .* below freezing"),
        ("{path: electrical.unit_substation.no_load_loss, values: 3 15 kW}", "at 15 kW .* no-load current"),
    ],
)
def test_a_sweep_refuses_what_a_case_refuses(tmp_path: Path, project_root: Path, variable: str, told: str):
    shutil.copy(project_root / "configs/campus/abilene_building.yaml", tmp_path / "case.yaml")
    file = tmp_path / "study.yaml"
    file.write_text(
        f"voltherm: 1\nname: x\nsweep:\n  case: case.yaml\n  variables:\n    - {variable}\n", encoding="utf-8"
    )
    with pytest.raises(ConfigurationError, match=rf"study.yaml:6: sweep.variables\[1\]: {told}"):
        study(file, ("secondary.fluid=water",))
