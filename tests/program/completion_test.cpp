#include <cctype>

#include <gmock/gmock.h>

#include "config/keys.h"
#include "config/load.h"
#include "live_program.h"
#include "program.h"

namespace slopegan::testing {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;
using ::testing::UnorderedElementsAre;
using ::testing::UnorderedElementsAreArray;

constexpr const char* zsh_is_missing = "zsh is not installed; SLOPEGAN_TEST=1 scripts/setup.sh installs it";

class Completion : public ProgramTest {
 protected:
  void write(const std::string& name, const std::vector<std::string>& arguments) {
    const auto result = slopegan(arguments);
    EXPECT_EQ(result.code, 0) << result.err;
    std::ofstream(directory_ / name) << result.out;
  }
  std::string folder() const { return directory_.path().string(); }
  std::vector<std::string> live_keys() {
    auto keys = keys_of(slopegan(smoke("train", {"--print-config"})).out);
    EXPECT_GT(keys.size(), 40U);
    return keys;
  }
};

/// Whether `text` contains `word` as a whole word. For example, "--quiet" does not contain the word "-q".
bool shows_word(const std::string& text, const std::string& word) {
  const auto is_in_word = [&](std::size_t i) {
    return i < text.size() && (std::isalnum(static_cast<unsigned char>(text[i])) != 0 || text[i] == '-' ||
                               text[i] == '_' || text[i] == '.');
  };
  for (auto at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) {
    if (!is_in_word(at - 1) && !is_in_word(at + word.size())) return true;  // at - 1 wraps around at 0
  }
  return false;
}

void expect_options_in_man_page(const LiveCommand& command, const std::string& page) {
  const auto begin = page.find(command.path.empty() ? ".SH OPTIONS" : ".SS slopegan " + command.path + "\n");
  ASSERT_NE(begin, std::string::npos) << command.path;
  const auto text = page.substr(begin, page.find("\n.S", begin) - begin);
  for (const auto& option : command.options) {
    const bool documented_once = !command.path.empty() && (option == "--help" || option == "-h");
    if (!documented_once) {
      EXPECT_THAT(text, HasSubstr("\\fB" + option + "\\fR")) << command.path;
    }
  }
}

// Starting the program is slow, so a single test checks everything that is generated from its commands and options.
TEST_F(Completion, CoversEveryCommandAndOptionInBashZshAndTheManPage) {
  write("slopegan.bash", {"completion", "bash"});
  write("_slopegan", {"completion", "zsh"});
  const auto page = std::regex_replace(slopegan({"man"}).out, std::regex(R"(\\-)"), "-");
  std::optional<Zsh> zsh;
  if (is_installed("zsh")) zsh.emplace(folder());
  const auto all = live_commands();
  ASSERT_THAT(all.front().commands, IsSupersetOf({"train", "sweep", "completion"}));
  ASSERT_THAT(all.front().options, IsSupersetOf({"--help", "-q", "--log-format"}));
  for (const auto& command : all) {
    const std::string line = "slopegan " + command.path + (command.path.empty() ? "" : " ");
    auto options = command.options;
    options.insert(all.front().options.begin(), all.front().options.end());
    EXPECT_THAT(offered_by_bash(folder(), line + "-"), UnorderedElementsAreArray(options)) << line;
    if (zsh) {
      const auto shown = zsh->shown_for(line + "-");
      for (const auto& name : options) EXPECT_TRUE(shows_word(shown, name)) << line << name << "\n" << shown;
    }
    if (command.commands.empty()) {
      expect_options_in_man_page(command, page);
      continue;
    }
    EXPECT_THAT(offered_by_bash(folder(), line), UnorderedElementsAreArray(command.commands)) << line;
    if (zsh && command.commands.size() > 1) {
      const auto shown = zsh->shown_for(line);
      for (const auto& name : command.commands) EXPECT_THAT(shown, HasSubstr("\n" + name + " ")) << line;
    }
  }
  expect_options_in_man_page(all.front(), page);
  if (!zsh) GTEST_SKIP() << "bash and the manual page are checked; " << zsh_is_missing;
}

TEST_F(Completion, CoversEveryKeyInBashZshAndTheManPage) {
  write("slopegan.bash", {"completion", "bash"});
  write("_slopegan", {"completion", "zsh"});
  const auto page = slopegan({"man"}).out;
  const auto keys = live_keys();
  std::vector<std::string> offered;
  for (const auto& key : keys) {
    offered.push_back(key + "=");
    EXPECT_THAT(page, HasSubstr("\\fB" + key + "\\fR"));
  }
  EXPECT_THAT(offered_by_bash(folder(), "slopegan train x.yaml "), UnorderedElementsAreArray(offered));
  for (const auto code : {0, 2, 3, 4, 5, 6, 7, 70})
    EXPECT_THAT(page, HasSubstr("\\fB" + std::to_string(code) + "\\fR"));
  if (!is_installed("zsh")) GTEST_SKIP() << "bash and the manual page are checked; " << zsh_is_missing;
  const auto shown = Zsh(folder()).shown_for("slopegan train x.yaml ");
  for (const auto& key : keys) EXPECT_TRUE(shows_word(shown, key)) << key << "\n" << shown;
}

TEST_F(Completion, OffersOnlyValuesThatTheProgramAccepts) {
  std::size_t words = 0;
  for (const auto& key : key_descriptions()) {
    words += key.words.size();
    for (const auto& word : key.words) {
      EXPECT_NO_THROW(load_config(config_file("smoke.yaml"), {key.key + "=" + word})) << key.key << "=" << word;
    }
  }
  EXPECT_GT(words, 40U);
}

TEST_F(Completion, BashOffersKeysAndTheirValues) {
  write("slopegan.bash", {"completion", "bash"});
  const auto offered = [&](const std::string& line) { return offered_by_bash(folder(), line); };
  EXPECT_THAT(offered("slopegan train x.yaml seed=1 optimizer.beta"),
              ElementsAre("optimizer.beta1=", "optimizer.beta2="));
  EXPECT_THAT(offered("slopegan sweep --jobs 2 x.yaml sweep.app"), ElementsAre("sweep.apply_to="));
  EXPECT_THAT(offered("slopegan train x.yaml generator.activation="),
              ElementsAre("leaky_relu", "relu", "prelu", "rrelu"));
  EXPECT_THAT(offered("slopegan train x.yaml data.flip=f"), ElementsAre("false"));
  EXPECT_THAT(offered("slopegan train x.yaml data.resolution="), ElementsAre("32", "64", "128"));
  EXPECT_THAT(offered("slopegan train x.yaml generator.width="), IsEmpty());
  // If '=' is not a word break, bash replaces the whole word.
  EXPECT_THAT(offered_by_bash(folder(), "slopegan train x.yaml generator.norm=", "COMP_WORDBREAKS=\" \""),
              ElementsAre("generator.norm=batch", "generator.norm=self_modulated", "generator.norm=none"));
}

TEST_F(Completion, BashOffersWordsAndFilesForArgumentsAndOptions) {
  write("slopegan.bash", {"completion", "bash"});
  write("a.yaml", {"--version"});
  std::filesystem::create_directory(directory_ / "folder of mine");
  const auto offered = [&](const std::string& line) { return offered_by_bash(folder(), line); };
  EXPECT_THAT(offered("slopegan train "), UnorderedElementsAre("a.yaml", "folder of mine"));
  EXPECT_THAT(offered("slopegan grid "), ElementsAre("folder of mine"));
  EXPECT_THAT(offered("slopegan train --resume "),
              AllOf(Contains("auto"), Contains("slopegan.bash"), Contains("folder of mine")));
  EXPECT_THAT(offered("slopegan train --resume=au"), ElementsAre("auto"));
  EXPECT_THAT(offered("slopegan train a.yaml data.path=fold"), ElementsAre("folder of mine"));
  EXPECT_THAT(offered("slopegan --log-format "), ElementsAre("text", "json"));
  EXPECT_THAT(offered("slopegan train --log-format=j"), ElementsAre("json"));
  EXPECT_THAT(offered("slopegan --log-format json tra"), ElementsAre("train"));
  EXPECT_THAT(offered("slopegan completion "), ElementsAre("bash", "zsh"));
  EXPECT_THAT(offered("slopegan completion bash "), IsEmpty());
  EXPECT_THAT(offered("slopegan demo dying-relu --out slop"), ElementsAre("slopegan.bash"));
  EXPECT_THAT(offered("slopegan grid x --rows "), IsEmpty());
}

TEST_F(Completion, BashRespondsToTheTabKey) {
  write("slopegan.bash", {"completion", "bash"});
  Terminal bash({"bash", "--norc", "--noprofile", "-i"}, {{"TERM", "dumb"}, {"PS1", "ready> "}}, {.columns = 200});
  bash.send("cd '" + folder() + "'; . ./slopegan.bash; PS1='go''> '\n");
  ASSERT_TRUE(bash.read_until("go> ")) << bash.output();
  bash.send("build/release/slopegan tra\t");
  EXPECT_TRUE(bash.read_until("slopegan train ")) << bash.output();
  bash.send("x.yaml discriminator.no\t");
  EXPECT_TRUE(bash.read_until("discriminator.norm=")) << bash.output();
  bash.send("sp\t");
  EXPECT_TRUE(bash.read_until("spectral ")) << bash.output();
  bash.send("--dry\t");
  EXPECT_TRUE(bash.read_until("--dry-run ")) << bash.output();
}

TEST_F(Completion, ZshRespondsToTheTabKey) {
  if (!is_installed("zsh")) GTEST_SKIP() << zsh_is_missing;
  write("_slopegan", {"completion", "zsh"});
  write("a.yaml", {"--version"});
  Zsh zsh(folder());
  EXPECT_THAT(zsh.shown_for("slopegan tra"), HasSubstr("slopegan train "));
  EXPECT_THAT(zsh.shown_for("slopegan demo dy"), HasSubstr("slopegan demo dying-relu "));
  EXPECT_THAT(zsh.shown_for("slopegan train "), HasSubstr("slopegan train a.yaml "));
  EXPECT_THAT(zsh.shown_for("slopegan train a.yaml discriminator.no"), HasSubstr("discriminator.norm="));
  EXPECT_THAT(zsh.shown_for("slopegan train a.yaml discriminator.norm=sp"), HasSubstr("discriminator.norm=spectral "));
  EXPECT_THAT(zsh.shown_for("slopegan train --resume au"), HasSubstr("--resume auto "));
  EXPECT_THAT(zsh.shown_for("slopegan train --resume a."), HasSubstr("--resume a.yaml "));
  EXPECT_THAT(zsh.shown_for("slopegan train --log-format=j"), HasSubstr("--log-format=json "));
  EXPECT_THAT(zsh.shown_for("slopegan completion z"), HasSubstr("completion zsh "));
}

TEST_F(Completion, RejectsAnUnknownShell) {
  EXPECT_EQ(slopegan({"completion", "fish"}).code, 2);
  EXPECT_EQ(slopegan({"completion"}).code, 2);
}

TEST_F(Completion, TheManPageFormatsWithoutWarnings) {
  if (!is_installed("man")) GTEST_SKIP() << "man is not installed";
  write("slopegan.1", {"man"});
  const auto man = [&](const std::string& arguments) {
    return output_of("LC_ALL=C.UTF-8 MANWIDTH=80 man " + arguments);
  };
  const std::string file = " -l '" + folder() + "/slopegan.1' ";
  EXPECT_EQ(man("--warnings -E UTF-8 -Tutf8 -Z" + file + "2>&1 >/dev/null"), "");
  EXPECT_THAT(man(file), AllOf(HasSubstr("slopegan train CONFIG [key=value ...] [options]"),
                               HasSubstr("generator.negative_slope")));
}

}  // namespace
}  // namespace slopegan::testing
