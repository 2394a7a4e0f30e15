#include "support/expand_path.h"

#include <cstdlib>

#include <gtest/gtest.h>

#include "expect_error.h"
#include "support/errors.h"

namespace slopegan {
namespace {

class ExpandPath : public ::testing::Test {
 protected:
  ExpandPath() {
    const char* home = std::getenv("HOME");
    home_ = home != nullptr ? home : "";
    ::setenv("HOME", "/home/x", 1);
    ::setenv("SLOPEGAN_TEST_PLACE", "/big disk", 1);
    ::setenv("SLOPEGAN_TEST_EMPTY", "", 1);
  }
  ~ExpandPath() override {
    ::setenv("HOME", home_.c_str(), 1);
    ::unsetenv("SLOPEGAN_TEST_PLACE");
    ::unsetenv("SLOPEGAN_TEST_EMPTY");
  }

 private:
  std::string home_;
};

TEST_F(ExpandPath, ReplacesATildeOnlyAtTheStart) {
  EXPECT_EQ(expand_path("~"), "/home/x");
  EXPECT_EQ(expand_path("~/runs"), "/home/x/runs");
  for (const char* path : {"./~", "a/~/b", "~other/images", "a~", "/images", "", "."})
    EXPECT_EQ(expand_path(path), path);
}

TEST_F(ExpandPath, ReplacesVariablesAnywhere) {
  EXPECT_EQ(expand_path("$SLOPEGAN_TEST_PLACE/runs"), "/big disk/runs");
  EXPECT_EQ(expand_path("${SLOPEGAN_TEST_PLACE}runs"), "/big diskruns");
  EXPECT_EQ(expand_path("/mnt$SLOPEGAN_TEST_PLACE$SLOPEGAN_TEST_PLACE"), "/mnt/big disk/big disk");
  EXPECT_EQ(expand_path("~$SLOPEGAN_TEST_PLACE"), "~/big disk");
}

TEST_F(ExpandPath, KeepsDollarSignsThatDoNotStartAVariable) {
  for (const char* path : {"a$", "5$/x", "$1", "a$-b"}) EXPECT_EQ(expand_path(path), path);
  EXPECT_EQ(expand_path("$$HOME/$$"), "$HOME/$");
}

TEST_F(ExpandPath, NamesAVariableThatIsUnsetOrEmpty) {
  EXPECT_EQ(message_of<UsageError>([] { expand_path("$SLOPEGAN_TEST_NONE/x"); }),
            "the environment variable SLOPEGAN_TEST_NONE is not set");
  EXPECT_THROW(expand_path("$SLOPEGAN_TEST_EMPTY/x"), UsageError);
  for (const char* path : {"${", "${}", "${A-b}", "${1}"}) EXPECT_THROW(expand_path(path), UsageError) << path;
  ::unsetenv("HOME");
  EXPECT_THROW(expand_path("~/x"), UsageError);
}

TEST_F(ExpandPath, KeepsVariablesInStoredPaths) {
  EXPECT_EQ(expand_stored_path("$SLOPEGAN_TEST_NONE/x"), "$SLOPEGAN_TEST_NONE/x");
  EXPECT_EQ(expand_stored_path("~/x"), "/home/x/x");
  ::unsetenv("HOME");
  EXPECT_EQ(expand_stored_path("~/x"), "~/x");
}

TEST_F(ExpandPath, ReadsBackWhatUnexpandedPathWrites) {
  for (const char* path : {"$HOME/a", "$$", "a${b}", "./~", "/plain"}) {
    EXPECT_EQ(expand_path(unexpanded_path(path)), path);
    EXPECT_EQ(expand_stored_path(unexpanded_path(path)), path);
  }
}

}  // namespace
}  // namespace slopegan
