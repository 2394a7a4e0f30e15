#include <random>

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "exact_resume.h"
#include "images/convert.h"
#include "images/grid.h"
#include "images/image_file.h"
#include "poison.h"
#include "program.h"
#include "run/checkpoint.h"
#include "run/records.h"
#include "run/run_directory.h"
#include "sampling/load_generator.h"
#include "sampling/samples.h"

namespace slopegan::testing {
namespace {

using ::testing::HasSubstr;

class Train : public ProgramTest {
 protected:
  // Trains in float32 with one thread, so that the results do not depend on bfloat16 support or the number of cores.
  Result train(const std::vector<std::string>& more = {}) {
    auto arguments = smoke("train", {"training.precision=float32", "training.threads=1"});
    arguments.insert(arguments.end(), more.begin(), more.end());
    return slopegan(arguments);
  }
  std::filesystem::path run_dir(const std::string& name = "smoke") const { return outputs() / name; }
  std::filesystem::path state(const std::string& name, std::int64_t images) const {
    return run_dir(name) / "checkpoints" / std::to_string(images) / "state.safetensors";
  }
};

TEST_F(Train, WritesAllFilesOfARun) {
  const auto result = train();
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_EQ(result.out, run_dir().string() + "\n");
  for (const char* file : {"config.yaml", "overrides.yaml", "run.json", "log.txt", "history.jsonl", "reals.png",
                           "samples/1280.png", "samples/2560.png", "checkpoints/1280/manifest.json",
                           "checkpoints/2560/state.safetensors", "checkpoints/latest/manifest.json"}) {
    EXPECT_TRUE(std::filesystem::exists(run_dir() / file)) << file;
  }
  const auto info = nlohmann::json::parse(read_text(run_dir() / "run.json"));
  EXPECT_EQ(info.at("status"), "done");
  EXPECT_EQ(info.at("images"), 2560);
  EXPECT_EQ(info.at("precision"), "float32");
  const auto history = read_history(run_dir() / "history.jsonl");
  ASSERT_FALSE(history.empty());
  EXPECT_EQ(history.back().images, 2560);
  EXPECT_EQ(history.back().step, 80);
  EXPECT_GT(history.back().discriminator_gradient_norm, 0);
  EXPECT_LT(history.back().discriminator_loss, history.front().discriminator_loss);
}

TEST_F(Train, DrawsSamplesWithTheAveragedGeneratorOfTheCheckpoint) {
  ASSERT_EQ(train({"generator.negative_slope={from: 1, to: 0, over_images: 2560}"}).code, 0);
  auto loaded = load_generator(load_checkpoint(run_dir() / "checkpoints/2560"));
  const Compute compute{at::kCPU, at::kFloat, 1};
  const auto images = generate_images(loaded.generator, sample_latents(loaded.config, 16), compute);
  const auto expected = tile_grid(to_mats(images), samples_layout(loaded.config.samples));
  const auto drawn = read_image(run_dir() / "samples/2560.png");
  ASSERT_EQ(drawn.size(), expected.size());
  cv::Mat difference;
  cv::absdiff(drawn, expected, difference);
  double largest = 0;
  cv::minMaxIdx(difference, nullptr, &largest);
  EXPECT_LE(largest, 1);  // values may be rounded differently
}

TEST_F(Train, ARunResumedAfterASignalIsBitIdenticalToAnUninterruptedRun) {
  // On any machine, the first run is too long to end before it receives a signal. The second run ends at the image
  // count of the first run's newest checkpoint.
  const std::vector<std::string> often = {"training.precision=float32", "training.threads=1",
                                          "samples.every_images=320", "checkpoint.every_images=320"};
  auto arguments = smoke("train", often);
  arguments.insert(arguments.end(), {"run.name=parts", "training.total_images=25600000", "--resume", "auto"});
  std::mt19937 random(1);
  for (const int signal : {SIGKILL, SIGTERM, SIGINT, SIGKILL, SIGTERM}) {
    const bool has_checkpoint = std::filesystem::exists(run_dir("parts") / "checkpoints/latest");
    Program program(directory_.path(), arguments);
    ASSERT_TRUE(wait_until([&] { return program.err().find(" images on ") != std::string::npos; })) << program.err();
    ASSERT_TRUE(wait_for(run_dir("parts") / "samples/320.png")) << program.err();
    std::this_thread::sleep_for(std::chrono::milliseconds(random() % 500));
    program.send(signal);
    ASSERT_EQ(program.wait(), signal == SIGKILL ? -SIGKILL : 128 + signal) << program.err();
    EXPECT_TRUE(!has_checkpoint || program.err().find("resumed at ") != std::string::npos) << program.err();
  }
  std::vector<std::string> warnings;
  const auto last = load_newest(run_dir("parts") / "checkpoints", warnings);
  ASSERT_TRUE(last);
  const auto images = last->info.images;
  auto whole = smoke("train", often);
  whole.insert(whole.end(), {"run.name=whole", "training.total_images=" + std::to_string(images)});
  ASSERT_EQ(slopegan(whole).code, 0);
  EXPECT_TRUE(read_text(state("parts", images)) == read_text(state("whole", images)));
  const auto drawn = RunPaths(run_dir("parts")).sample_counts();
  EXPECT_FALSE(drawn.empty());
  for (const auto count : drawn) {
    const std::string name = "samples/" + std::to_string(count) + ".png";
    EXPECT_TRUE(read_text(run_dir("parts") / name) == read_text(run_dir("whole") / name)) << name;
  }
}

TEST_F(Train, ARunResumedAfterAKillHasTheHistoryOfAnUninterruptedRun) {
  ASSERT_EQ(train({"run.name=whole"}).code, 0);
  // The run is killed after its first checkpoint. When it is resumed, it must rewrite the history lines that follow the
  // checkpoint, without losing or duplicating any. The run is long enough not to end before the kill.
  auto arguments = smoke("train", {"training.precision=float32", "training.threads=1", "run.name=parts",
                                   "training.total_images=2560000", "checkpoint.keep=1000000"});
  Program program(directory_.path(), arguments);
  ASSERT_TRUE(wait_for(run_dir("parts") / "checkpoints/1280/manifest.json"));
  program.send(SIGKILL);
  ASSERT_EQ(program.wait(), -SIGKILL);
  // On a busy machine, the run may have passed 2560 images before it is killed.
  const auto checkpoint = (run_dir("parts") / "checkpoints/1280").string();
  ASSERT_EQ(train({"run.name=parts", "--resume", checkpoint}).code, 0);
  EXPECT_EQ(timeless_history(run_dir("parts")), timeless_history(run_dir("whole")));
  EXPECT_TRUE(read_text(state("parts", 2560)) == read_text(state("whole", 2560)));
}

TEST_F(Train, ARunExtendedToMoreImagesEqualsAnUninterruptedRun) {
  ASSERT_EQ(train({"run.name=whole"}).code, 0);
  ASSERT_EQ(train({"run.name=more", "training.total_images=1280"}).code, 0);
  ASSERT_EQ(train({"run.name=more", "--resume", "auto"}).code, 0);
  EXPECT_TRUE(read_text(state("more", 2560)) == read_text(state("whole", 2560)));
  const auto again = train({"run.name=more", "--resume", "auto"});
  EXPECT_EQ(again.code, 0);
  EXPECT_THAT(again.err, HasSubstr("nothing to do"));
}

TEST_F(Train, ResumesFromAnOlderCheckpointAndRemovesNewerOnes) {
  ASSERT_EQ(train().code, 0);
  const auto before = read_text(state("smoke", 2560));
  const auto checkpoint = (run_dir() / "checkpoints/1280").string();
  ASSERT_EQ(train({"--resume", checkpoint, "training.total_images=1920"}).code, 0);
  EXPECT_FALSE(std::filesystem::exists(run_dir() / "checkpoints/2560"));
  EXPECT_FALSE(std::filesystem::exists(run_dir() / "samples/2560.png"));
  EXPECT_EQ(read_history(run_dir() / "history.jsonl").back().images, 1920);
  ASSERT_EQ(train({"--resume", "auto"}).code, 0);
  EXPECT_TRUE(read_text(state("smoke", 2560)) == before);
}

TEST_F(Train, AcceptsASymlinkToACheckpoint) {
  ASSERT_EQ(train({"training.total_images=1280"}).code, 0);
  ASSERT_EQ(train({"--resume", (run_dir() / "checkpoints/latest/").string()}).code, 0);
  EXPECT_TRUE(std::filesystem::exists(run_dir() / "checkpoints/1280/manifest.json"));
  EXPECT_TRUE(std::filesystem::exists(run_dir() / "checkpoints/latest/manifest.json"));
  EXPECT_EQ(read_history(run_dir() / "history.jsonl").back().images, 2560);
}

TEST_F(Train, RefusesToResumeOnDifferentImages) {
  ASSERT_EQ(train({"training.total_images=1280"}).code, 0);
  // The directory contains the test images under the names of the training images.
  const auto data = directory_ / "data";
  std::filesystem::create_directories(data);
  for (const std::string kind : {"images-idx3", "labels-idx1"}) {
    std::filesystem::copy("/usr/share/datasets/fashion-mnist/t10k-" + kind + "-ubyte.gz",
                          data / ("train-" + kind + "-ubyte.gz"));
  }
  const auto result = train({"--resume", "auto", "data.path=" + data.string()});
  EXPECT_EQ(result.code, 4);
  EXPECT_THAT(result.err, HasSubstr("SHA-256"));
}

TEST_F(Train, DoesNotUseAnExistingFolderAsARun) {
  std::filesystem::create_directories(run_dir());
  std::ofstream(run_dir() / "mine.txt") << "mine";
  EXPECT_EQ(train({"--resume", "auto"}).code, 2);
  EXPECT_FALSE(std::filesystem::exists(run_dir() / "config.yaml"));
  std::ofstream(run_dir() / "config.yaml") << "# mine\nseed: 1\n";
  const auto result = train({"--resume", "auto"});
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.err, HasSubstr("exists and is not a run"));
  EXPECT_EQ(read_text(run_dir() / "config.yaml"), "# mine\nseed: 1\n");
}

TEST_F(Train, LongPathsAreNotShortened) {
  const auto parent = outputs() / std::string(120, 'a') / std::string(120, 'b');
  const auto root = (parent / "smoke").string();
  const std::vector<std::string> keys = {"run.output_dir=" + parent.string(), "training.total_images=32"};
  EXPECT_EQ(train(keys).out, root + "\n");
  EXPECT_EQ(slopegan({"report", root}).out, root + "/report.html\n");
  const auto picture = (parent / "reals.png").string();
  EXPECT_THAT(slopegan({"data", config_file("smoke.yaml"), "--out", picture}).out, HasSubstr(picture + "\n"));
  auto other = keys;
  other.insert(other.end(), {"generator.negative_slope=0.37", "--resume", "auto"});
  EXPECT_THAT(train(other).err, HasSubstr("--resume " + root + "/checkpoints/32 run.name="));
  EXPECT_THAT(train({keys[0], "--dry-run"}).out, HasSubstr("run directory: " + root + "\n"));
}

TEST_F(Train, WarnsThatExtendingARunAfterAShortBatchIsNotExact) {
  ASSERT_EQ(train({"training.total_images=1000"}).code, 0);
  const auto result = train({"--resume", "auto"});
  EXPECT_EQ(result.code, 0);
  EXPECT_THAT(result.err, HasSubstr("shortened last step"));
  EXPECT_THAT(read_text(run_dir() / "report.html"), HasSubstr("at 1,000 images, so its results can differ"));
  // With several discriminator steps, a training step uses several batches of real images.
  const auto trained = [&](int total_images) {
    return train({"run.name=two", "training.batch_size=32", "optimizer.discriminator_steps=2", "--resume", "auto",
                  "training.total_images=" + std::to_string(total_images)});
  };
  ASSERT_EQ(trained(64).code, 0);
  EXPECT_THAT(trained(96).err, ::testing::Not(HasSubstr("shortened")));
  EXPECT_THAT(trained(160).err, HasSubstr("training.batch_size x optimizer.discriminator_steps = 64"));
}

TEST_F(Train, WarnsThatADifferentNumberOfImagesChangesDecayingLearningRates) {
  for (const std::string decay_images : {"0", "128"}) {
    const std::string name = "run.name=over" + decay_images;
    const auto trained = [&](const std::string& total_images) {
      return train({name, "training.batch_size=32", "training.total_images=" + total_images,
                    "optimizer.lr_decay=linear", "optimizer.lr_decay_images=" + decay_images, "--resume", "auto"});
    };
    ASSERT_EQ(trained("64").code, 0);
    const auto result = trained("96");
    EXPECT_EQ(result.code, 0);
    const auto warning = HasSubstr("training.total_images was 64 and is now 96; the learning rates decay over");
    if (decay_images == "0") {
      EXPECT_THAT(result.err, warning);
    } else {
      EXPECT_THAT(result.err, ::testing::Not(warning));
    }
  }
}

TEST_F(Train, ARunStartedAgainWithoutACheckpointKeepsNoSamplesOfItsFirstAttempt) {
  ASSERT_EQ(train({"training.batch_size=32", "training.total_images=64", "samples.every_images=32"}).code, 0);
  ASSERT_TRUE(std::filesystem::exists(run_dir() / "samples/32.png"));
  std::filesystem::remove_all(run_dir() / "checkpoints");
  auto info = nlohmann::json::parse(read_text(run_dir() / "run.json"));
  info.update({{"status", "running"}, {"images", 0}});  // as after a kill before the first checkpoint
  std::ofstream(run_dir() / "run.json") << info;
  const auto again = train({"training.batch_size=32", "training.total_images=96", "samples.every_images=0",
                            "generator.negative_slope=0.37", "--resume", "auto"});
  ASSERT_EQ(again.code, 0) << again.err;
  EXPECT_THAT(again.err, HasSubstr("has no checkpoint yet, so it starts over and repeats its first 64 images"));
  EXPECT_THAT(RunPaths(run_dir()).sample_counts(), ::testing::ElementsAre(96));
}

TEST_F(Train, StartsANewRunFromTheCheckpointOfAnotherRun) {
  ASSERT_EQ(train().code, 0);
  ASSERT_EQ(train({"run.name=branch", "--resume", (run_dir() / "checkpoints/1280").string()}).code, 0);
  EXPECT_TRUE(read_text(state("branch", 2560)) == read_text(state("smoke", 2560)));
  EXPECT_GT(read_history(run_dir("branch") / "history.jsonl").front().images, 1280);
}

TEST_F(Train, FallsBackToTheCheckpointBeforeADamagedOne) {
  ASSERT_EQ(train().code, 0);
  const auto whole = read_text(state("smoke", 2560));
  std::ofstream(state("smoke", 2560), std::ios::binary | std::ios::in).seekp(5000).put('x');
  const auto result = train({"--resume", "auto"});
  EXPECT_EQ(result.code, 0);
  EXPECT_THAT(result.err, HasSubstr("2560"));
  EXPECT_TRUE(read_text(state("smoke", 2560)) == whole);
}

TEST_F(Train, CannotResumeWithoutAValidCheckpoint) {
  ASSERT_EQ(train().code, 0);
  for (const int images : {1280, 2560}) std::ofstream(state("smoke", images)) << "nothing";
  EXPECT_EQ(train({"--resume", "auto"}).code, 4);
}

TEST_F(Train, RefusesToResumeWithADifferentSlopeAndShowsTheDifference) {
  ASSERT_EQ(train().code, 0);
  const auto result = train({"--resume", "auto", "generator.negative_slope=0.37"});
  EXPECT_EQ(result.code, 4);
  EXPECT_THAT(result.err, HasSubstr("generator.negative_slope: 0.2 -> 0.37"));
}

TEST_F(Train, NeverOverwritesARun) {
  ASSERT_EQ(train().code, 0);
  const auto before = read_text(state("smoke", 2560));
  const auto result = train();
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.err, HasSubstr("--resume auto"));
  EXPECT_TRUE(read_text(state("smoke", 2560)) == before);
}

TEST_F(Train, RejectsARunDirectoryInUse) {
  auto arguments = smoke("train", {"training.total_images=1000000"});
  Program first(directory_.path(), arguments);
  ASSERT_TRUE(wait_for_content(run_dir() / "history.jsonl"));
  const TemporaryDirectory scratch;
  arguments.insert(arguments.end(), {"--resume", "auto"});
  EXPECT_EQ(run(scratch.path(), arguments).code, 7);
  first.send(SIGTERM);
  EXPECT_EQ(first.wait(), 143);
  EXPECT_EQ(nlohmann::json::parse(read_text(run_dir() / "run.json")).at("status"), "stopped");
}

TEST_F(Train, ADivergedRunHasItsOwnExitCodeAndKeepsItsLastCheckpoint) {
  ASSERT_EQ(train({"training.total_images=1280"}).code, 0);
  poison_newest_checkpoint(run_dir());
  const auto before = read_text(state("smoke", 1280));
  const auto result = train({"--resume", "auto"});
  EXPECT_EQ(result.code, 5) << result.err;
  EXPECT_THAT(result.err, HasSubstr("diverged at step 40 (1280 images): the discriminator's loss is NaN"));
  EXPECT_EQ(nlohmann::json::parse(read_text(run_dir() / "run.json")).at("status"), "diverged");
  EXPECT_TRUE(read_text(state("smoke", 1280)) == before);
  EXPECT_FALSE(std::filesystem::exists(state("smoke", 2560)));
}

TEST_F(Train, AcceptsASlopeOnTheCommandLine) {
  ASSERT_EQ(train({"generator.negative_slope=0.37"}).code, 0);
  EXPECT_THAT(read_text(run_dir() / "config.yaml"), HasSubstr("negative_slope: 0.37"));
}

TEST_F(Train, TrainsWithEveryActivationNormAndInitialisation) {
  const std::vector<std::vector<std::string>> variants = {
      {"generator.activation=prelu", "discriminator.activation=prelu", "discriminator.prelu=bounded_channel"},
      {"generator.activation=rrelu", "discriminator.activation=rrelu", "discriminator.rrelu=divisor"},
      {"generator.activation=relu", "discriminator.norm=spectral", "init.mode=slope_matched"},
      {"generator.norm=self_modulated", "training.precision=bfloat16"},
      {"generator.norm=none", "discriminator.norm=none", "init.mode=slope_matched", "ema.half_life_images=0"},
      {"generator.negative_slope=[0.1, 0.2, 0.3]",
       "discriminator.negative_slope={from: 0.3, to: 0.01, over_images: 1280, shape: log}"},
      {"data.resolution=64", "data.flip=true", "optimizer.discriminator_steps=2", "loss.real_label=0.9",
       "training.precision=bfloat16", "generator.width=4", "discriminator.width=4"},
  };
  for (std::size_t i = 0; i < variants.size(); ++i) {
    auto more = variants[i];
    more.insert(more.begin(), {"run.name=variant" + std::to_string(i), "training.total_images=640"});
    const auto result = train(more);
    EXPECT_EQ(result.code, 0) << i << ": " << result.err;
    // A run of each variant can be resumed.
    more.push_back("training.total_images=704");
    more.insert(more.end(), {"--resume", "auto"});
    const auto resumed = train(more);
    EXPECT_EQ(resumed.code, 0) << i << ": " << resumed.err;
  }
}

TEST_F(Train, ASelfModulatedRunResumesExactlyAndCanBeUsedLikeAnyOther) {
  const auto with_modulation = [&](std::vector<std::string> more) {
    more.push_back("generator.norm=self_modulated");
    return train(more);
  };
  ASSERT_EQ(with_modulation({"run.name=whole"}).code, 0);
  ASSERT_EQ(with_modulation({"run.name=more", "training.total_images=1280"}).code, 0);
  ASSERT_EQ(with_modulation({"run.name=more", "--resume", "auto"}).code, 0);
  EXPECT_TRUE(read_text(state("more", 2560)) == read_text(state("whole", 2560)));
  const std::string run = run_dir("whole").string();
  for (const auto& arguments : std::vector<std::vector<std::string>>{
           {"diagnose", run},
           {"report", run},
           {"generate", run, "--count", "8", "--out", (directory_ / "images").string()},
           {"export", run, "--format", "onnx", "--fold-batch-norm", "--out",
            (directory_ / "generator.onnx").string()}}) {
    const auto result = slopegan(arguments);
    EXPECT_EQ(result.code, 0) << arguments.front() << ": " << result.err;
  }
}

TEST_F(Train, DryRunDescribesSelfModulation) {
  const auto result = slopegan(smoke("train", {"generator.norm=self_modulated", "--dry-run"}));
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("transposed conv 4x4/2, self-modulated batch norm, slope 0.2"));
}

TEST_F(Train, DryRunPrintsTheLayersAndWritesNothing) {
  const auto result = slopegan({"train", config_file("fashion_mnist.yaml"), "generator.negative_slope=0.37",
                                "run.output_dir=" + outputs().string(), "--dry-run"});
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("slope 0.37"));
  EXPECT_THAT(result.out, HasSubstr("369600"));  // the number of parameters of the generator
  EXPECT_FALSE(std::filesystem::exists(outputs()));
}

TEST_F(Train, PrintsAConfigurationThatItCanReadBack) {
  const auto printed = slopegan(smoke("train", {"--print-config", "generator.negative_slope=0.37"}));
  ASSERT_EQ(printed.code, 0);
  std::ofstream(directory_ / "printed.yaml") << printed.out;
  const auto again = slopegan({"train", (directory_ / "printed.yaml").string(), "--print-config"});
  EXPECT_EQ(again.out, printed.out);
}

TEST_F(Train, SuggestsTheRightKeyForATypo) {
  const auto result = slopegan({"train", config_file("fashion_mnist.yaml"), "negative_slop=0.37"});
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.err, HasSubstr("generator.negative_slope"));
  EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1);
}

TEST_F(Train, DistinguishesUsageDataCheckpointAndOutputErrors) {
  EXPECT_EQ(slopegan({"train"}).code, 2);
  EXPECT_EQ(slopegan({"train", "no/such/file.yaml"}).code, 2);
  EXPECT_EQ(slopegan({"fly"}).code, 2);
  EXPECT_EQ(slopegan({}).code, 2);
  EXPECT_EQ(train({"data.path=" + (directory_ / "nothing").string()}).code, 3);
  EXPECT_EQ(train({"--resume", (directory_ / "nothing").string()}).code, 4);
  EXPECT_EQ(slopegan({"train", config_file("smoke.yaml"), "run.output_dir=/dev/null/outputs"}).code, 6);
  EXPECT_EQ(slopegan({"train", config_file("smoke.yaml"), "run.output_dir=" + std::string(300, 'x')}).code, 6);
}

}  // namespace
}  // namespace slopegan::testing
