"""Functions shared by the make_*.py scripts, which create folders of images."""
import os
import pathlib
import shutil
import subprocess
import sys
import tarfile
import tempfile


def fail(message: str) -> None:
    sys.exit(f"{pathlib.Path(sys.argv[0]).name}: {message}")


def default_folder(name: str) -> pathlib.Path:
    """The directory `name` in slopegan's cache; see src/support/cache_directory.h."""
    if chosen := os.environ.get("SLOPEGAN_CACHE"):
        return pathlib.Path(chosen) / name
    caches = os.environ.get("XDG_CACHE_HOME", "")
    base = pathlib.Path(caches) if os.path.isabs(caches) else pathlib.Path.home() / ".cache"
    return base / "slopegan" / name


def finish(folder: pathlib.Path, count: int) -> None:
    """Prints the number of images to stderr and the folder to stdout."""
    print(f"{count} images in {folder}", file=sys.stderr)
    print(folder)


class NpmPackages:
    """Downloads npm packages into a temporary directory with `npm pack`, which runs no code from the packages."""

    def __init__(self, names: list[str]):
        if shutil.which("npm") is None:
            fail("npm is not installed (Debian: npm)")
        self._directory = tempfile.TemporaryDirectory()
        result = subprocess.run(["npm", "pack", "--silent", "--ignore-scripts", *names], cwd=self._directory.name,
                                check=False, capture_output=True, text=True)
        if result.returncode != 0:
            fail(f"npm pack failed for {' '.join(names)}: {result.stderr.strip() or result.stdout.strip()}")
        self.archives = dict(zip(names, result.stdout.split()))

    def open(self, name: str) -> tarfile.TarFile:
        return tarfile.open(pathlib.Path(self._directory.name) / self.archives[name])


def apt_packages(names: list[str], folder: pathlib.Path) -> None:
    """Downloads Debian packages and unpacks their files into `folder`, without installing them."""
    for tool in ("apt-get", "dpkg-deb"):
        if shutil.which(tool) is None:
            fail(f"{tool} is not installed; it is needed to download and unpack the Debian packages {' '.join(names)}")
    result = subprocess.run(["apt-get", "download", *names], cwd=folder, check=False, capture_output=True, text=True)
    if result.returncode != 0:
        fail(f"apt-get download {' '.join(names)} failed: {result.stderr.strip()}")
    for archive in folder.glob("*.deb"):
        subprocess.run(["dpkg-deb", "-x", archive, folder], check=True)
