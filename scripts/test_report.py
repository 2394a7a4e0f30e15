#!/usr/bin/env python3
"""Tests the reports of a small run and a small sweep in a headless Chromium.

    scripts/test_report.py BINARY                         runs the tests; exits with 77 if Chromium is not installed
    scripts/test_report.py --screenshots DIR REPORT ...   writes screenshots: light, dark, phone, large sample
"""
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

from chromium import Browser, find_chromium

ROOT = pathlib.Path(__file__).resolve().parent.parent
SMOKE = ROOT / "configs/smoke.yaml"
EVIL = "\"'><img src=x onerror=\"window.hacked=1\"><script>window.hacked=1</script></script><!--{{script}}"
BINARY = ""


def slopegan(*arguments):
    subprocess.run([BINARY, "--quiet", *map(str, arguments)], check=True, stdout=subprocess.DEVNULL, timeout=300)


def metrics_line(images: int, fd: float, extractor: str = "test@00000000") -> str:
    values = {"fd": fd, "kd": fd / 50, "precision": 0.5, "recall": 0.6}
    return json.dumps({"images": images, "extractor": extractor, "samples": 1000, "values": values,
                       "floors": {"fd": 0.02}, "floor_samples": 1000, "fd_repeat": fd * 1.01, "seconds": 1}) + "\n"


class ReportTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory(prefix="slopegan-report-")
        cls.outputs = pathlib.Path(cls.scratch.name) / "outputs"
        cls.sweep = cls.outputs / "sweep"
        cls.sweep_command = ["sweep", SMOKE, f"run.output_dir={cls.outputs}", "run.name=sweep", "sweep.seeds=[0, 1]",
                             "diagnostics.every_images=1280"]
        slopegan(*cls.sweep_command)
        # The smoke configuration does not measure FD, because that would take a minute. The values written here
        # take the place of measurements, and the program computes the statistics from them.
        for number, arm in enumerate(sorted((cls.sweep / "runs").iterdir())):
            (arm / "metrics.jsonl").write_text(metrics_line(1280, 5 + number) + metrics_line(2560, 2 + number))
        slopegan(*cls.sweep_command)
        cls.run_dir = cls.sweep / "runs/slope_0.2-seed_0"
        cls.browser = Browser(find_chromium()).__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.browser.__exit__()
        cls.scratch.cleanup()

    def open(self, file, **options):
        self.browser.open(file, **options)
        self.check_quiet(file)

    def check_quiet(self, file):
        self.assertEqual(self.browser.console, [])
        self.assertEqual(self.browser.dialogs, [])
        outside = [url for url in self.browser.requests if not url.startswith("data:") and url != file.resolve().as_uri()]
        self.assertEqual(outside, [])

    def text(self, selector):
        return self.browser.evaluate(f"document.querySelector({json.dumps(selector)}).textContent")

    def strips(self):
        return self.browser.evaluate("[...document.querySelectorAll('[data-row] .strip')].map(s => s.src)")

    def slide(self, slider, value):
        self.browser.evaluate(f"""(() => {{ const s = document.getElementById('{slider}'); s.value = {value};
            s.dispatchEvent(new Event('input', {{bubbles: true}})); }})()""")

    def test_the_sweep_writes_its_report(self):
        self.assertTrue((self.sweep / "report.html").is_file())
        self.assertTrue((self.run_dir / "report.html").is_file())

    def test_the_time_slider_changes_the_pictures(self):
        self.open(self.sweep / "report.html")
        last = self.strips()
        self.assertEqual(len(last), 2)
        self.assertEqual(self.text("#time-text"), "2,560")
        self.slide("time", 0)
        self.assertEqual(self.text("#time-text"), "1,280")
        self.assertTrue(all(a != b for a, b in zip(self.strips(), last)))
        self.slide("time", 1)
        self.assertEqual(self.strips(), last)
        self.check_quiet(self.sweep / "report.html")

    def test_choosing_another_seed_changes_the_pictures(self):
        self.open(self.sweep / "report.html")
        before = self.strips()
        self.browser.click("#seeds button:nth-of-type(2)")
        self.assertTrue(all(a != b for a, b in zip(self.strips(), before)))

    def pixels(self, selector):
        """Returns the pictures on the canvases. Waits until all are drawn: a canvas is blank until its picture has been
        decoded, and again when a slider selects another picture."""
        drawn = self.browser.evaluate("""(async () => {
            const blank = canvas => Object.assign(document.createElement('canvas'),
                                                  {width: canvas.width, height: canvas.height}).toDataURL();
            for (let i = 0; i < 1500; ++i) {
                const canvases = [...document.querySelectorAll('%s canvas')];
                const pictures = canvases.map(canvas => canvas.toDataURL());
                if (pictures.length && canvases.every((canvas, i) => pictures[i] !== blank(canvas))) return pictures;
                await new Promise(done => setTimeout(done, 20));
            }
            return null; })()""" % selector)
        self.assertIsNotNone(drawn, f"{selector}: not all canvases were drawn within 30 s")
        return drawn

    def test_the_slope_slider_changes_the_large_pictures(self):
        self.open(self.sweep / "report.html")
        before = self.pixels("#focus-tiles")
        reals = self.pixels("#focus-real-tiles")
        self.slide("slope", 1)
        self.assertEqual(self.text("#slope-text"), "0.2")
        after = self.pixels("#focus-tiles")
        self.assertEqual(len(set(before)), len(before))  # all tiles differ, so they are not blank
        self.assertTrue(all(a != b for a, b in zip(before, after)))
        self.assertEqual(reals, self.pixels("#focus-real-tiles"))
        self.assertTrue(self.browser.evaluate("document.querySelector('[data-row=\"1\"]').classList.contains('chosen')"))

    def test_a_click_enlarges_the_sample_at_all_slopes(self):
        self.open(self.sweep / "report.html")
        self.browser.click('[data-row="1"] .hits button:nth-child(3)')
        self.assertTrue(self.browser.evaluate("document.getElementById('large').open"))
        self.assertIn("Latent 3 of 12", self.text("#large-title"))
        self.assertEqual(self.browser.evaluate("document.querySelectorAll('#large figure').length"), 3)  # including a real image
        large = self.pixels("#large")
        small = self.pixels("#focus-tiles button:nth-child(3)")
        self.assertEqual(large[1], small[0])  # the slope that was clicked
        self.browser.key("ArrowRight")
        self.assertIn("Latent 4 of 12", self.text("#large-title"))
        self.browser.key("Escape")
        self.assertFalse(self.browser.evaluate("document.getElementById('large').open"))

    def test_charts_show_values_on_hover(self):
        self.open(self.sweep / "report.html")
        x, y = self.browser.centre_of("#scores figure:nth-of-type(1) svg")
        self.browser.mouse("mouseMoved", x + 60, y)
        tip = self.text("#scores .tip:not([hidden])")
        self.assertIn("negative slope 0.2", tip)
        self.assertIn("mean4.5", tip)  # of the FDs 4 and 5 that setUpClass wrote
        x, y = self.browser.centre_of("#training figure:nth-of-type(1) svg")
        self.browser.mouse("mouseMoved", x, y)
        self.assertIn("images seen", self.text("#training .tip:not([hidden])"))
        self.browser.mouse("mouseMoved", 5, 5)
        self.assertEqual(self.browser.evaluate("document.querySelectorAll('.tip:not([hidden])').length"), 0)

    def test_charts_show_infinite_limits_on_hover(self):
        directory = self.outputs / "unbounded"
        directory.mkdir()
        for name in ("sweep.yaml", "statistics.json"):
            shutil.copy(ROOT / "outputs/study/study_no_batch_norm" / name, directory)
        slopegan("report", directory)
        self.open(directory / "report.html")
        x, y = self.browser.centre_of('#scores svg[aria-label^="FD relative to the control"]')
        self.browser.mouse("mouseMoved", x - 100, y)
        tip = self.text("#scores .tip:not([hidden])")
        self.assertIn("negative slope 0", tip)
        self.assertIn("(1.512 … ∞)", tip)

    def test_the_forest_plot_explains_a_row_on_hover(self):
        for width in (1280, 360):
            self.open(self.sweep / "report.html", width=width)
            x, y = self.browser.centre_of("#answer .forest g:first-of-type")
            self.browser.mouse("mouseMoved", x, y)
            self.assertIn("0 is undecided, because 2 seeds are too few", self.text("#answer .tip:not([hidden])"))
            box = self.browser.evaluate("(() => { const box = document.querySelector('#answer .tip')"
                                        ".getBoundingClientRect(); return [box.left, box.right]; })()")
            self.assertGreaterEqual(box[0], 0)
            self.assertLessEqual(box[1], width)

    def test_a_click_on_a_legend_entry_shows_only_that_slope(self):
        self.open(self.sweep / "report.html")
        off = "document.querySelectorAll('#training .s.off').length"
        self.assertEqual(self.browser.evaluate(off), 0)
        self.browser.click("#training .legend li")
        self.assertGreater(self.browser.evaluate(off), 0)
        self.browser.click("#training .legend li")
        self.assertEqual(self.browser.evaluate(off), 0)

    def test_the_sweep_report_has_all_sections(self):
        self.open(self.sweep / "report.html")
        names = self.browser.evaluate("[...document.querySelectorAll('section')].map(s => s.id)")
        self.assertEqual(names, ["answer", "pictures", "scores", "training", "layers", "arms", "config", "reproduce"])
        self.assertIn("No slope can be recommended yet: 2 seeds cannot show a difference", self.text("#answer .lead"))
        marked = self.browser.evaluate("[...document.querySelectorAll('#config tr.differs th')].map(t => t.textContent)")
        self.assertEqual(marked, ["seed", "generator.negative_slope", "discriminator.negative_slope"])
        self.assertIn("slopegan sweep", self.text("#reproduce"))

    def test_the_run_report_shows_a_latent_during_training(self):
        self.open(self.run_dir / "report.html")
        before = self.strips()
        self.slide("time", 0)
        self.assertNotEqual(self.strips(), before)
        self.browser.click('[data-row="0"] .hits button:nth-child(6)')
        self.assertIn("Latent 6 of 16", self.text("#large-title"))
        self.assertEqual(self.browser.evaluate("document.querySelectorAll('#large figure').length"), 3)
        self.check_quiet(self.run_dir / "report.html")

    def test_the_report_is_readable_without_scripts(self):
        self.browser.open(self.sweep / "report.html", scripts=False)
        shown = """(() => { const seen = e => e.getBoundingClientRect().height > 0; return {
            strips: [...document.querySelectorAll('.strip')].filter(seen).length,
            charts: [...document.querySelectorAll('.chart svg')].filter(seen).length,
            sliders: [...document.querySelectorAll('input')].filter(seen).length }; })()"""
        numbers = self.browser.evaluate(shown)  # DevTools can still evaluate expressions
        self.assertEqual(numbers["strips"], 3)
        self.assertGreater(numbers["charts"], 8)
        self.assertEqual(numbers["sliders"], 0)

    def test_reports_fit_on_a_phone(self):
        for file in (self.sweep / "report.html", self.run_dir / "report.html"):
            self.open(file, width=360, height=740)
            self.assertLessEqual(self.browser.evaluate("document.documentElement.scrollWidth"), 360)

    def make_hostile(self, sweep):
        """Injects markup into text fields of the files that the report reads, and damages two files of one arm."""
        (sweep / "sweep.yaml").write_text((sweep / "sweep.yaml").read_text().replace(
            "path: /usr/share/datasets/fashion-mnist", "path: " + json.dumps(EVIL)))
        statistics = json.loads((sweep / "statistics.json").read_text())
        statistics |= {"recommendation": EVIL, "findings": [EVIL], "method": EVIL, "answer": EVIL, "notes": [EVIL],
                       "methods": {EVIL: EVIL}}
        statistics["metric"] = {"name": EVIL, "extractor": EVIL, "floor": 1}
        (sweep / "statistics.json").write_text(json.dumps(statistics))
        for arm in (sweep / "runs").iterdir():
            info = json.loads((arm / "run.json").read_text())
            info |= {"argv": [EVIL], "git": EVIL, "device": EVIL}
            info["dataset"]["name"] = EVIL
            (arm / "run.json").write_text(json.dumps(info))
            (arm / "metrics.jsonl").write_text(metrics_line(2560, 3, EVIL))
            records = [json.loads(line) for line in (arm / "diagnostics.jsonl").read_text().splitlines()]
            for record in records:
                record["sentinels"] = [EVIL]
                record["layers"][0]["name"] = "generator." + EVIL
            (arm / "diagnostics.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
            (arm / "log.txt").write_text(f"2026-01-01 00:00:00.000 error {EVIL}\n")
            (arm / "config.yaml").write_text((arm / "config.yaml").read_text().replace(
                "path: /usr/share/datasets/fashion-mnist", "path: " + json.dumps(EVIL)))
        damaged = sweep / "runs/slope_0-seed_1"
        (damaged / "history.jsonl").write_text(EVIL + "\n")
        (damaged / "run.json").write_text(EVIL)

    def test_markup_in_names_labels_and_paths_is_not_executed(self):
        evil = self.outputs / EVIL.replace("/", "_")
        subprocess.run(["cp", "-r", self.sweep, evil], check=True)
        self.make_hostile(evil)
        for directory in (evil, evil / "runs/slope_0-seed_0"):
            slopegan("report", directory)
            file = directory / "report.html"
            self.open(file)
            self.assertIn("onerror", self.text("main"))  # present as text
            self.assertEqual(self.browser.evaluate("typeof window.hacked"), "undefined")
            self.assertEqual(self.browser.evaluate("document.querySelectorAll('script').length"), 3)
            self.assertEqual(self.browser.evaluate("document.querySelectorAll('img:not(.strip)').length"), 0)
            # The same holds for elements that appear on hover and click.
            for section in ("training", "layers"):
                x, y = self.browser.centre_of(f"#{section} svg")
                self.browser.mouse("mouseMoved", x, y)
            self.browser.click('[data-row="0"] .hits button')
            self.assertEqual(self.browser.evaluate("typeof window.hacked"), "undefined")
            self.check_quiet(file)

    def test_the_content_security_policy_blocks_injected_markup(self):
        """The second line of defence: even markup that is not escaped has no effect."""
        page = (self.sweep / "report.html").read_text()
        broken = self.outputs / "broken.html"
        broken.write_text(page.replace("</main>", "<script>window.hacked=1</script><img src=http://127.0.0.1:9/x "
                                                  "onerror=window.hacked=1></main>"))
        self.browser.open(broken)
        self.assertEqual(self.browser.evaluate("typeof window.hacked"), "undefined")
        self.assertGreaterEqual(len(self.browser.console), 2)  # both are blocked and reported
        self.assertTrue(all("Content Security Policy" in line for line in self.browser.console), self.browser.console)


def take_screenshots(folder: pathlib.Path, reports: list[pathlib.Path]):
    folder.mkdir(parents=True, exist_ok=True)
    with Browser(find_chromium()) as browser:
        for number, report in enumerate(reports):
            variants = {"light": {}, "dark": {"dark": True}, "phone": {"width": 390, "height": 844}}
            for name, options in variants.items():
                seconds = browser.open(report, **options)
                file = folder / f"{number}-{name}.png"
                browser.screenshot(file)
                print(f"{file}: {report}, opened in {seconds:.2f} s")
            browser.open(report)
            if browser.evaluate("document.querySelectorAll('.hits button').length"):
                browser.click(".hits button:nth-child(2)")
                browser.evaluate("new Promise(done => setTimeout(done, 300))")
                browser.screenshot(folder / f"{number}-large.png", whole_page=False)


def main():
    global BINARY
    if find_chromium() is None:
        print("skipped: Chromium is not installed; SLOPEGAN_TEST=1 scripts/setup.sh installs it")
        return 77
    if sys.argv[1] == "--screenshots":
        take_screenshots(pathlib.Path(sys.argv[2]), [pathlib.Path(report) for report in sys.argv[3:]])
        return 0
    BINARY = sys.argv.pop(1)
    unittest.main()


if __name__ == "__main__":
    sys.exit(main())
