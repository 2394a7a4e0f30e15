#include <cstdlib>
#include <filesystem>
#include <sys/wait.h>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "config/bad_configs.h"
#include "config/keys.h"
#include "config/load.h"
#include "config/print.h"
#include "support/files.h"
#include "temporary_directory.h"

namespace slopegan {
namespace {

const std::filesystem::path folder = std::filesystem::path(SLOPEGAN_SOURCE_DIR) / "configs";

class Schema : public ::testing::Test {
 protected:
  /// For each text, the validation error from the PyPI package jsonschema, or null if the text is valid; std::nullopt
  /// if jsonschema is not installed.
  std::optional<nlohmann::json> objections(const std::vector<std::string>& texts) {
    const auto schema = directory_.write("schema.json", config_schema());
    const auto in = directory_.write("in.json", nlohmann::json(texts).dump());
    const auto out = directory_ / "out.json", err = directory_ / "err.txt";
    const auto quoted = [](const std::string& text) { return "'" + text + "'"; };
    const std::string command = quoted(SLOPEGAN_SOURCE_DIR "/.venv/bin/python") + " -B " +
                                quoted(SLOPEGAN_SOURCE_DIR "/scripts/check_schema.py") + " " + quoted(schema) + " <" +
                                quoted(in) + " >" + quoted(out) + " 2>" + quoted(err);
    const int status = std::system(command.c_str());
    const int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    if (code == 77) return std::nullopt;
    EXPECT_EQ(code, 0) << read_file(err, 1 << 20);
    return nlohmann::json::parse(read_file(out, 1 << 24));
  }

  TemporaryDirectory directory_;
};

TEST_F(Schema, TheCommittedSchemaIsUpToDate) {
  EXPECT_EQ(read_file(folder / "schema.json", 1 << 20), config_schema() + "\n")
      << "regenerate it: build/release/slopegan train --print-schema > configs/schema.json";
}

TEST_F(Schema, AcceptsShippedAndPrintedConfigurations) {
  std::vector<std::string> texts = {"",
                                    to_yaml(Config{}),
                                    to_yaml_with_help(Config{}),
                                    "generator:\n",
                                    "generator: {negative_slope: 1}",
                                    "generator: {negative_slope: [0.1, 0.2, 0.3]}",
                                    "generator: {negative_slope: {from: 0.3, to: 0.01, over_images: 6e4}}",
                                    "discriminator: {negative_slope: {from: 1, to: 0, over_images: 1, shape: cosine}}",
                                    "loss: {r1: 0}",
                                    "run: {name: 2026}",
                                    "optimizer: {generator_lr: 2e-4}",
                                    "training: {total_images: 6e4}",
                                    "sweep: {cross: {}}",
                                    "sweep: {cross: {optimizer.generator_lr: [2e-4, 4e-4], loss.kind: [bce]}}",
                                    "sweep: {cross: [{}, {generator.norm: none, discriminator.norm: spectral}]}"};
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".yaml") texts.push_back(read_file(entry.path(), 1 << 20));
  }
  for (const auto& text : texts) EXPECT_NO_THROW(parse_config(text, "text")) << text;
  const auto found = objections(texts);
  if (!found) GTEST_SKIP() << "jsonschema is not installed (SLOPEGAN_TEST=1 scripts/setup.sh)";
  for (std::size_t i = 0; i < texts.size(); ++i) EXPECT_TRUE(found->at(i).is_null()) << texts[i] << found->at(i);
}

// A schema cannot express errors in YAML syntax or constraints between keys.
TEST_F(Schema, RejectsTheMistakesThatTheProgramRejects) {
  const auto is_beyond_a_schema = [](const std::string& what) {
    for (const char* part :
         {": an anchor", ": a tag", ": given twice", "shape: log}", ".nan", "0x10", "sweep.cross: "}) {
      if (what.find(part) != std::string::npos) return true;
    }
    return false;
  };
  std::vector<std::string> texts;
  for (const auto& bad : bad_configs()) {
    if (!is_beyond_a_schema(bad.what)) texts.push_back(bad.text);
  }
  ASSERT_GT(texts.size(), 900u);
  const auto found = objections(texts);
  if (!found) GTEST_SKIP() << "jsonschema is not installed (SLOPEGAN_TEST=1 scripts/setup.sh)";
  for (std::size_t i = 0; i < texts.size(); ++i) EXPECT_FALSE(found->at(i).is_null()) << texts[i];
}

}  // namespace
}  // namespace slopegan
