#include "terminal.h"

#include <algorithm>
#include <regex>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "process_states.h"
#include "program.h"
#include "screen.h"

namespace slopegan::testing {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

/// Runs the program on a pseudo-terminal.
class OnATerminal : public ProgramTest {
 protected:
  std::vector<std::string> short_run(const std::vector<std::string>& more = {}) const {
    auto arguments = smoke("train", {"training.threads=1"});
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }

  static Terminal start(std::vector<std::string> arguments, const Terminal::Size& size = {},
                        const Terminal::Environment& environment = {}) {
    arguments.insert(arguments.begin(), SLOPEGAN_BINARY);
    return Terminal(arguments, environment, size);
  }
};

/// Returns the frames of the status display: the pieces of text between erase sequences.
std::vector<std::string> drawn(const std::string& output) {
  static const std::regex erase("\r\x1b\\[K(\x1b\\[1A\x1b\\[K)*");
  return {std::sregex_token_iterator(output.begin(), output.end(), erase, -1), std::sregex_token_iterator()};
}

/// Returns the status lines: the last line of each frame, if it contains an ETA.
std::vector<std::string> status_lines(const std::string& output) {
  std::vector<std::string> lines;
  for (const auto& frame : drawn(output)) {
    const auto line = frame.substr(frame.rfind('\n') + 1);  // npos + 1 is 0
    if (line.find("ETA") != std::string::npos) lines.push_back(line);
  }
  return lines;
}

TEST_F(OnATerminal, ARunShowsItsProgressInPlaceAndEndsWithATable) {
  // The status is drawn a few times per second and whenever the phase changes. The samples are far enough apart for the
  // status to be redrawn between them.
  Terminal terminal =
      start(short_run({"training.total_images=25600", "samples.every_images=12800", "checkpoint.every_images=12800"}),
            {.columns = 120, .rows = 30});
  ASSERT_EQ(terminal.wait(), 0) << terminal.output();
  for (const char* phase : {"  train  ", "  samples  ", "  diagnostics  ", "  checkpoint  "}) {
    EXPECT_THAT(terminal.output(), HasSubstr(phase));
  }
  EXPECT_TRUE(std::regex_search(
      terminal.output(),
      std::regex(
          R"(\r\x1b\[K\[#*\.*\]  ?\d+ %  ETA \d+:\d\d  train  \d+/s  loss D \d+\.\d\d G \d+\.\d\d  \d+/25600 images)")))
      << terminal.output();
  // At the end, only the log and the table remain.
  Screen screen(120);
  screen.write(terminal.output());
  const auto lines = screen.lines();
  EXPECT_THAT(lines, Each(Not(HasSubstr("ETA"))));
  EXPECT_THAT(lines, Contains(HasSubstr(" training ")));
  EXPECT_THAT(lines, Contains("images      25600 of 25600"));
  EXPECT_THAT(lines, Contains(StartsWith("checkpoint  ")));
}

TEST_F(OnATerminal, TheStatusLineFitsANarrowTerminalBeforeAndAfterAResize) {
  // The run is long enough for the status to be drawn again after the resize.
  Terminal terminal = start(short_run({"training.total_images=10240"}), {.columns = 50, .rows = 10});
  ASSERT_TRUE(terminal.read_until("\033[K["));
  terminal.resize({.columns = 24, .rows = 10});
  ASSERT_EQ(terminal.wait(), 0);
  const auto lines = status_lines(terminal.output());
  ASSERT_GT(lines.size(), 2U);
  EXPECT_LE(lines.front().size(), 49U);
  EXPECT_THAT(lines.front(), AllOf(HasSubstr("%  ETA"), StartsWith("[")));
  EXPECT_LE(lines.back().size(), 23U) << lines.back();
  EXPECT_THAT(lines.back(), AllOf(HasSubstr("%  ETA"), Not(HasSubstr("["))));
}

TEST_F(OnATerminal, ASweepShowsOneLinePerArmAndATotal) {
  // The display is drawn once per second, so the arms must train for longer than that on any machine.
  auto arguments = smoke("sweep", {"training.total_images=10000000", "training.threads=1", "--jobs", "2"});
  Terminal terminal = start(arguments, {.columns = 110, .rows = 30});
  const std::regex both(R"(slope_0-seed_0    \[#*\.*\] [ \d]+ %  ETA [\d:-]+  \d+/s  loss [^\n]+\r\n)"
                        R"(slope_0.2-seed_0  \[#*\.*\] [ \d]+ %  ETA [\d:-]+  \d+/s  loss [^\n]+\r\n)"
                        R"(\[#*\.*\] [ \d]+ %  ETA [\d:-]+  0 of 2 arms done  \d+/s  \d+ MiB)");
  const auto shows_both = [&] { return std::regex_search(terminal.output(), both); };
  for (int i = 0; i < 60 && !shows_both(); ++i) {
    ASSERT_TRUE(terminal.read_until("of 2 arms done")) << terminal.output();
  }
  ASSERT_TRUE(shows_both()) << terminal.output();
  terminal.send("\x03");  // Ctrl-C
  EXPECT_EQ(terminal.wait(), 128 + SIGINT) << terminal.output();
  Screen screen(110);
  screen.write(terminal.output());
  EXPECT_THAT(screen.lines(), Each(Not(HasSubstr("ETA"))));
  EXPECT_THAT(screen.lines(), Contains(StartsWith("slope_0.2-seed_0 stopped ")));
}

TEST_F(OnATerminal, WarningsAreColouredIfNoColorIsUnsetOrEmpty) {
  const auto warned = [&](const Terminal::Environment& environment) {
    Terminal terminal =
        start({"train", config_file("smoke.yaml"), "generator.negative_slope=1.5", "--dry-run"}, {}, environment);
    EXPECT_EQ(terminal.wait(), 0);
    return terminal.output();
  };
  EXPECT_THAT(warned({}), HasSubstr("\033[33m"));
  EXPECT_THAT(warned({{"NO_COLOR", ""}}), HasSubstr("\033[33m"));
  EXPECT_THAT(warned({{"NO_COLOR", "1"}}), AllOf(HasSubstr("generator.negative_slope"), Not(HasSubstr("\033"))));
}

TEST_F(OnATerminal, ADumbTerminalGetsNoControlSequences) {
  for (const auto& term : {std::optional<std::string>("dumb"), std::optional<std::string>()}) {
    Terminal terminal =
        start(short_run({"run.name=run" + term.value_or(""), "training.total_images=320"}), {}, {{"TERM", term}});
    ASSERT_EQ(terminal.wait(), 0);
    EXPECT_THAT(terminal.output(), AllOf(HasSubstr("images      320 of 320"), Not(HasSubstr("\033"))));
  }
}

TEST_F(OnATerminal, QuietPrintsOnlyTheResult) {
  Terminal terminal = start(short_run({"--quiet", "training.total_images=1280"}));
  ASSERT_EQ(terminal.wait(), 0);
  EXPECT_EQ(terminal.output(), (outputs() / "smoke").string() + "\r\n");
}

class Plain : public ProgramTest {};

TEST_F(Plain, ProgressIsPrintedAsLinesIfStderrIsNotATerminal) {
  // The first line is printed after a second, so the run must take longer than that on any machine.
  Program program(directory_.path(), smoke("train", {"training.total_images=10000000", "training.threads=1"}));
  const std::regex progress(
      R"(\n\d\d:\d\d:\d\d [ \d]+ %, ETA [\d:]+, train, \d+/s, loss D [^\n]+, \d+/10000000 images, [^\n]+ MiB\n)");
  EXPECT_TRUE(wait_until([&] { return std::regex_search(program.err(), progress); })) << program.err();
  program.send(SIGINT);
  ASSERT_EQ(program.wait(), 128 + SIGINT) << program.err();
  const std::string printed = program.err();
  EXPECT_THAT(printed, AllOf(Not(HasSubstr("\033")), Not(HasSubstr("\r"))));
  EXPECT_TRUE(std::regex_search(printed, std::regex(R"(\nimages      \d+ of 10000000\n)"))) << printed;
  EXPECT_EQ(program.out(), "");
}

TEST_F(Plain, VerboseLogsMoreAndQuietOmitsInformationalMessages) {
  const auto verbose =
      slopegan(smoke("train", {"-v", "run.name=verbose", "training.threads=1", "training.total_images=320"}));
  EXPECT_THAT(verbose.err, HasSubstr("checkpoint at 320 images"));
  const auto normal = slopegan(smoke("train", {"run.name=normal", "training.threads=1", "training.total_images=320"}));
  EXPECT_THAT(normal.err, Not(HasSubstr("checkpoint at 320 images")));
  const auto quiet =
      slopegan(smoke("train", {"-q", "run.name=quiet", "training.threads=1", "training.total_images=320"}));
  EXPECT_THAT(quiet.err, IsEmpty());
  EXPECT_EQ(slopegan({"train", "x.yaml", "-q", "-v"}).code, 2);
}

TEST_F(Plain, LogFormatJsonMakesEveryLineJson) {
  std::vector<std::vector<std::string>> commands = {
      smoke("train", {"-v", "training.threads=1", "training.total_images=320"}),
      smoke("train"),  // the run already exists
      smoke("sweep", {"run.name=sweep", "training.total_images=320", "training.threads=1"}),
      {"diagnose", (outputs() / "smoke").string()},
      {"train", "missing.yaml"},
      {"train", "--unknown"},
      {"train", config_file("smoke.yaml"), "generator.negative_slope=x", "unknown.key=1"},
      {"unknown"},
      {}};
  for (auto& arguments : commands) {
    arguments.insert(arguments.begin(), "--log-format=json");
    const auto result = slopegan(arguments);
    EXPECT_THAT(result.err, Not(IsEmpty()));
    std::istringstream lines(result.err);
    for (std::string line; std::getline(lines, line);) {
      const auto object = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
      EXPECT_TRUE(object.is_object() && object.contains("time") && object.contains("level") &&
                  object.contains("message"))
          << line;
    }
  }
}

}  // namespace
}  // namespace slopegan::testing
