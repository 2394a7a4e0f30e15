#include <algorithm>
#include <httplib.h>

#include <gmock/gmock.h>

#include "program.h"

namespace slopegan::testing {
namespace {

using ::testing::HasSubstr;

class Serve : public ProgramTest {
 protected:
  std::filesystem::path run_dir() const { return outputs() / "smoke"; }

  /// Returns the port that the program reports, or 0 if it reports none within 30 s.
  static int port_of(const Program& program) {
    const std::string before = "http://127.0.0.1:";
    for (int i = 0; i < 3000; ++i, std::this_thread::sleep_for(std::chrono::milliseconds(10))) {
      const auto out = program.out();
      const auto found = out.find(before);
      if (found != std::string::npos && out.ends_with("/\n")) return std::stoi(out.substr(found + before.size()));
    }
    return 0;
  }
};

TEST_F(Serve, UpdatesThePageUntilInterrupted) {
  ASSERT_EQ(slopegan(smoke("train", {"training.total_images=320", "checkpoint.every_images=0"})).code, 0);
  const TemporaryDirectory scratch;
  Program program(scratch.path(), {"report", run_dir().string(), "--serve", "0"});
  const int port = port_of(program);
  ASSERT_GT(port, 0) << program.err();
  httplib::Client client("127.0.0.1", port);
  EXPECT_EQ(client.Get("/")->status, 200);
  const auto first = client.Get("/report.html");
  ASSERT_EQ(first->status, 200);
  EXPECT_EQ(first->body, read_text(run_dir() / "report.html"));

  const auto taken = slopegan({"report", run_dir().string(), "--serve", std::to_string(port)});
  EXPECT_EQ(taken.code, 6);
  EXPECT_THAT(taken.err, HasSubstr("127.0.0.1:" + std::to_string(port)));
  EXPECT_EQ(std::count(taken.err.begin(), taken.err.end(), '\n'), 1) << taken.err;

  ASSERT_EQ(slopegan(smoke("train", {"training.total_images=640", "--resume", "auto"})).code, 0);
  const auto tag = first->get_header_value("ETag");
  std::string body;
  // Before it writes the next report, the server waits ten times as long as the last report took, which may be long on
  // a busy machine.
  for (int i = 0; i < 600 && body.find("640") == std::string::npos; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    if (const auto answer = client.Get("/report.html", {{"If-None-Match", tag}})) body = answer->body;
  }
  EXPECT_THAT(body, HasSubstr("640"));
  program.send(SIGINT);
  EXPECT_EQ(program.wait(), 130) << program.err();
}

TEST_F(Serve, ListensOnOtherAddressesWithATokenInTheUrl) {
  ASSERT_EQ(slopegan(smoke("train", {"training.total_images=64", "checkpoint.every_images=0"})).code, 0);
  const TemporaryDirectory scratch;
  Program program(scratch.path(), {"report", run_dir().string(), "--serve=0", "--host", "0.0.0.0"});
  for (int i = 0; i < 3000 && !program.out().ends_with("/\n"); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  const std::string url = program.out().substr(0, program.out().size() - 1);
  const auto port = url.find(':', 7), path = url.find('/', 7);
  ASSERT_NE(port, std::string::npos) << program.err();
  httplib::Client client("127.0.0.1", std::stoi(url.substr(port + 1)));
  EXPECT_EQ(client.Get(url.substr(path))->status, 200);
  EXPECT_EQ(client.Get("/")->status, 403);
  program.send(SIGINT);
  EXPECT_EQ(program.wait(), 130) << program.err();
  EXPECT_EQ(slopegan({"report", run_dir().string(), "--host", "0.0.0.0"}).code, 2) << "--host without --serve";
}

TEST_F(Serve, RejectsAnInvalidPort) {
  for (const char* port : {"65536", "-1", "http", "80x"}) {
    const auto result = slopegan({"report", run_dir().string(), std::string("--serve=") + port});
    EXPECT_EQ(result.code, 2) << port;
    EXPECT_THAT(result.err, HasSubstr("1 to 65535")) << port;
  }
}

TEST_F(Serve, ASweepWritesItsReportWhileItRunsAndRejectsInvalidPeriods) {
  Program program(directory_.path(), smoke("sweep", {"training.total_images=2560000", "--report-every", "1s"}));
  EXPECT_TRUE(wait_for(run_dir() / "report.html"));
  EXPECT_FALSE(program.poll()) << program.err();
  program.send(SIGTERM);
  EXPECT_EQ(program.wait(), 143) << program.err();
  EXPECT_THAT(read_text(run_dir() / "report.html"), HasSubstr("</html>"));
  for (const char* period : {"0s", "soon", "-5m", "1h30", "h", "", "2d", "1e9h", "nan", "1000h"}) {
    EXPECT_EQ(slopegan(smoke("sweep", {"--report-every", period})).code, 2) << period;
  }
  for (const char* period : {"7", "90s", "1.5h", "1h30m", "0.5m"}) {
    EXPECT_EQ(slopegan(smoke("sweep", {"--list", "--report-every", period})).code, 0) << period;
  }
}

}  // namespace
}  // namespace slopegan::testing
