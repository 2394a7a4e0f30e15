#include <random>
#include <sys/stat.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/load_fixture.h"
#include "ordinary_permissions.h"

namespace slopegan {
namespace {

using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using Lines = std::vector<std::string>;

class HostileFiles : public LoadFixture {
 protected:
  Lines errors_of_path(const std::filesystem::path& path) const {
    try {
      load_config(path);
    } catch (const UsageError& e) {
      EXPECT_EQ(e.code(), ExitCode::usage);
      return lines_without_directory(e.what());
    }
    ADD_FAILURE() << "no error for " << path;
    return {};
  }
};

std::string repeated(const std::string& text, std::size_t bytes) {
  std::string all;
  while (all.size() + text.size() <= bytes) all += text;
  return all;
}

TEST_F(HostileFiles, NamesAFileThatCannotBeRead) {
  EXPECT_EQ(errors_of_path(directory_.path() / "none.yaml"), Lines{"none.yaml: no such configuration file"});
  std::filesystem::create_directory(directory_.path() / "folder");
  EXPECT_EQ(errors_of_path(directory_.path() / "folder"), Lines{"folder: not a regular file; a YAML file is required"});
  ASSERT_EQ(::mkfifo((directory_.path() / "pipe").c_str(), 0600), 0);
  EXPECT_EQ(errors_of_path(directory_.path() / "pipe"), Lines{"pipe: not a regular file; a YAML file is required"});
  std::filesystem::create_symlink("loop", directory_.path() / "loop");
  EXPECT_THAT(errors_of_path(directory_.path() / "loop"), Each(StartsWith("loop: ")));
}

TEST_F(HostileFiles, NamesAFileWithoutReadPermission) {
  const auto path = directory_.write("secret.yaml", "seed: 0");
  std::filesystem::permissions(path, std::filesystem::perms::none);
  const OrdinaryPermissions permissions;
  if (!permissions.apply()) GTEST_SKIP() << "capabilities cannot be removed";
  EXPECT_EQ(errors_of_path(path), Lines{"secret.yaml: the configuration file cannot be read"});
}

TEST_F(HostileFiles, RejectsAFileLargerThanOneMebibyte) {
  const std::size_t limit = std::size_t{1} << 20;
  EXPECT_NO_THROW(load(std::string(limit, '#')));
  EXPECT_EQ(errors(std::string(limit + 1, '#')),
            Lines{"x.yaml: larger than 1 MiB, the limit for a configuration file"});
}

TEST_F(HostileFiles, RejectsBinaryFiles) {
  EXPECT_EQ(errors(std::string("seed: 0\nrun\0x", 13)),
            Lines{"x.yaml:2: not UTF-8 text, or contains control characters"});
  EXPECT_EQ(errors("\x7f"
                   "ELF"),
            Lines{"x.yaml:1: not UTF-8 text, or contains control characters"});
  EXPECT_THAT(errors("\xff\xfes"), Each(StartsWith("x.yaml:1: not UTF-8 text")));
  EXPECT_EQ(errors("seed: 0\n# caf\xe9\n"), Lines{"x.yaml:2: not UTF-8 text, or contains control characters"});
  EXPECT_EQ(load("\xef\xbb\xbfseed: 3\r\n# caf\xc3\xa9\t\r\n").config.seed, 3);
}

TEST_F(HostileFiles, NamesTheLineOfASyntaxError) {
  EXPECT_EQ(errors("seed: 0\nrun: {name: [a}\n"), Lines{"x.yaml:2: not valid YAML: illegal flow end"});
  EXPECT_THAT(errors("seed: 0\ngenerator:\n\twidth: 3\n").front(), StartsWith("x.yaml:3: not valid YAML: "));
  EXPECT_THAT(errors("a: b: c\n").front(), StartsWith("x.yaml:1: not valid YAML: "));
}

TEST_F(HostileFiles, RejectsKeysGivenTwice) {
  EXPECT_EQ(errors("generator:\n  width: 8\n  width: 16\n"),
            Lines{"x.yaml:3: generator.width is given twice, first on line 2"});
  EXPECT_EQ(errors("generator: {width: 8, width: 8}"),
            Lines{"x.yaml:1: generator.width is given twice, first on line 1"});
  EXPECT_EQ(errors("generator: {width: 8}\nseed: 1\ngenerator:\n  width: 8\n"),
            Lines{"x.yaml:3: generator is given twice, first on line 1"});
  EXPECT_EQ(errors("generator:\n  negative_slope: {from: 1, to: 0, to: 1, over_images: 1}\n"),
            Lines{"x.yaml:2: generator.negative_slope.to is given twice, first on line 2"});
  EXPECT_EQ(override_errors({"generator={width: 8, width: 9}"}),
            Lines{"command line: 'generator={width: 8, width: 9}': width is given twice, first on line 1"});
}

TEST_F(HostileFiles, RejectsAnchorsAndAliases) {
  EXPECT_EQ(errors("seed: 1\ngenerator: &g {width: 8}\ndiscriminator: *g\n"),
            (Lines{"x.yaml:2: anchors (&name) are not allowed",
                   "x.yaml:3: aliases (*name) are not allowed; write out the value"}));
  const std::string bomb =
      "a: &a [x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b]\n"
      "d: &d [*c,*c,*c,*c,*c,*c,*c,*c]\ne: [*d,*d,*d,*d,*d,*d,*d,*d]\n";
  EXPECT_EQ(errors(bomb).front(), "x.yaml:1: anchors (&name) are not allowed");
  EXPECT_THAT(errors("<<: *missing\n").front(), StartsWith("x.yaml:1: "));
}

TEST_F(HostileFiles, RejectsTags) {
  EXPECT_EQ(errors("seed: 0\nrun:\n  name: !!python/object/apply:os.system [id]\n"),
            Lines{"x.yaml:3: tags (tag:yaml.org,2002:python/object/apply:os.system) are not allowed"});
  EXPECT_EQ(errors("seed: !!int 3\n"), Lines{"x.yaml:1: tags (tag:yaml.org,2002:int) are not allowed"});
  EXPECT_EQ(errors("run: !mine {name: a}\n"), Lines{"x.yaml:1: tags (!mine) are not allowed"});
}

TEST_F(HostileFiles, RejectsASecondDocument) {
  EXPECT_NO_THROW(load("---\nseed: 0\n...\n"));
  EXPECT_EQ(errors("seed: 0\n---\nseed: 1\n"),
            Lines{"x.yaml:2: a second YAML document starts here; only one is allowed"});
}

TEST_F(HostileFiles, RejectsKeysThatAreNotNames) {
  EXPECT_EQ(errors("? [a, b]\n: 1\n"), Lines{"x.yaml:1: a key must be a name"});
  EXPECT_EQ(errors("? {a: b}\n: 1\n"), Lines{"x.yaml:1: a key must be a name"});
  EXPECT_EQ(errors("~: 1\n"), Lines{"x.yaml:1: a key must be a name"});
}

TEST_F(HostileFiles, RejectsDeepNesting) {
  const auto nested = [](std::size_t levels) { return "seed: " + std::string(levels, '[') + std::string(levels, ']'); };
  EXPECT_EQ(errors(nested(15)), Lines{"x.yaml:1: seed is a list, not a whole number; allowed: 0 or more"});
  EXPECT_EQ(errors(nested(16)), Lines{"x.yaml:1: more than 16 levels of nesting"});
}

TEST_F(HostileFiles, RejectsAMebibyteOfRepeatedSyntax) {
  for (const std::string text :
       {"[",   "{",     "- ", "? ",   "[{", "{a: ",  "? - ", ": ",          "&a ",    "*a ",  "!!a ",
        "|\n", "---\n", "\"", "a: [", "]",  "a:\n ", "[a, ", "%YAML 1.2\n", "a: b\n", "\xff", "a\n"}) {
    EXPECT_FALSE(errors(repeated(text, std::size_t{1} << 20)).empty()) << text;
  }
}

TEST_F(HostileFiles, ListsTheFirstFiftyOfManyErrors) {
  std::string text;
  for (int i = 0; i < 40000; ++i) text += "key_number_" + std::to_string(i) + ": 1\n";
  const auto lines = errors(text);
  ASSERT_EQ(lines.size(), 51u);
  EXPECT_THAT(lines.front(), StartsWith("x.yaml:1: key_number_0 is not a key; allowed: seed, run"));
  EXPECT_EQ(lines.back(), "and 39950 more errors");
}

TEST_F(HostileFiles, ShowsNoControlCharactersFromTheFile) {
  const auto lines = errors("\"gen\\e[2Jerator\": 1\ntraining: {device: \"\\a\\n\\e]0;x\"}\n");
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0], "x.yaml:1: gen?[2Jerator is not a key; did you mean generator?");
  EXPECT_THAT(lines[1], StartsWith("x.yaml:2: training.device = \"???]0;x\" is not allowed"));
}

TEST_F(HostileFiles, TruncatesLongWordsInMessages) {
  EXPECT_LT(errors(std::string(100000, 'k') + ": 1\n").front().size(), 300u);
  EXPECT_LT(errors("training: {device: " + std::string(100000, 'd') + "}").front().size(), 200u);
  EXPECT_LT(override_errors({"seed=" + std::string(100000, '1')}).front().size(), 400u);
}

TEST_F(HostileFiles, ADamagedFileYieldsAConfigOrAUsageError) {
  const std::string good =
      "seed: 3\nrun: {name: abc}\ngenerator:\n  negative_slope: {from: 0.3, to: 0.1, over_images: 5, shape: log}\n"
      "sweep:\n  negative_slope: [0, 0.1]\n  seeds:\n    - 1\n    - 2\ndata: {path: \"a\\\"b\"}\n";
  const std::string bytes = std::string("\0\n\t \"'[]{}:,-?&*!|>%#~0e.", 25) + "\xff\xc3";
  std::mt19937 random(1);
  int loaded = 0;
  int refused = 0;
  for (int i = 0; i < 2000; ++i) {
    std::string text = good;
    for (int change = 0; change < 1 + i % 2; ++change) {
      const std::size_t at = random() % text.size();
      if (random() % 2 == 0) {
        text.insert(at, 1, bytes[random() % bytes.size()]);
      } else {
        text.erase(at, 1 + random() % 5);
      }
    }
    try {
      load(text);
      ++loaded;
    } catch (const UsageError&) {
      ++refused;
    }
  }
  EXPECT_GT(loaded, 50);
  EXPECT_GT(refused, 100);
}

}  // namespace
}  // namespace slopegan
