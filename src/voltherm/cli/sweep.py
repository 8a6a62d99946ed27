"""``voltherm sweep``: many designs of a case."""

from voltherm.cli.options import Devices, Json, Output, Overrides, Resume, StudyFile, output_folder
from voltherm.cli.output import print_json, problem_console, progress, result_console, simple_table


def sweep(
    study: StudyFile,
    overrides: Overrides = None,
    output: Output = None,
    resume: Resume = False,
    json: Json = False,
    device: Devices = None,
) -> None:
    """Solve many designs of a case, in chunks that survive any end of the process."""
    from voltherm.cli.studies import case_of, read_study

    read = read_study(study, overrides, "sweep")
    settings = read.settings
    from voltherm.cli.environment import prepare

    prepare(device, every_core=True)
    from voltherm.cli.studies import translated
    from voltherm.formats.sweep_store import SweepFolder
    from voltherm.study import sweep as run_sweep
    from voltherm.study.sweep import SweepProgress

    folder = output_folder(output, study)
    with translated(), progress() as report:

        def show(now: SweepProgress) -> None:
            report(f"designs ({now.failed} failed)" if now.failed else "designs", now.done, now.designs)

        result = run_sweep(
            case_of(read),
            read.variables,
            sampler=settings.sampler,
            designs=settings.designs,
            seed=settings.seed,
            chunk=settings.chunk,
            store=SweepFolder(folder),
            resume=resume,
            progress=show,
            notice=lambda sentence: problem_console().print(sentence, soft_wrap=True),
        )
    if json:
        print_json(
            {
                "designs": result.plan.designs,
                "failed": result.failed,
                "counts": result.counts,
                "chunks_reused": result.reused,
                "chunks_computed": result.computed,
                "files": result.files,
            }
        )
        return
    rows = [(code.name, f"{count:,}") for code, count in result.counts.items()]
    console = result_console()
    console.print(simple_table(f"{result.plan.designs:,} designs", ("result", "designs"), rows))
    for sentence in result.described():
        console.print(sentence, soft_wrap=True)
    console.print(f"chunks: {result.computed} computed, {result.reused} found finished")
    for file in result.files:
        console.print(str(file), soft_wrap=True)
