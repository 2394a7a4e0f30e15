#include "report/page_server.h"

#include <httplib.h>

#include <gmock/gmock.h>

#include "expect_error.h"
#include "support/errors.h"

namespace slopegan {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

httplib::Client client_of(const PageServer& server) { return httplib::Client("127.0.0.1", server.port()); }

TEST(PageServer, ShowsThePageInAFrameThatAsksWhetherThereIsANewerOne) {
  PageServer server(0, "<p>first");
  auto client = client_of(server);
  const auto frame = client.Get("/");
  ASSERT_TRUE(frame);
  EXPECT_EQ(frame->status, 200);
  const auto first = client.Get("/report.html");
  EXPECT_EQ(first->body, "<p>first");
  const auto tag = first->get_header_value("ETag");
  EXPECT_THAT(frame->body, HasSubstr("data-tag=\"" + tag.substr(3, tag.size() - 4) + "\""));
  for (const char* path : {"/live.js", "/live.css"}) {
    EXPECT_THAT(frame->body, HasSubstr(path));
    EXPECT_EQ(client.Get(path)->status, 200);
  }
  const auto unchanged = client.Get("/report.html", {{"If-None-Match", tag}});
  EXPECT_EQ(unchanged->status, 304);
  EXPECT_EQ(unchanged->body, "");
  server.show("<p>second");
  const auto second = client.Get("/report.html", {{"If-None-Match", tag}});
  EXPECT_EQ(second->body, "<p>second");
  const auto head = client.Head("/report.html");
  EXPECT_EQ(head->get_header_value("ETag"), second->get_header_value("ETag"));
  EXPECT_NE(head->get_header_value("ETag"), tag);
  EXPECT_EQ(head->body, "");
}

TEST(PageServer, SendsStrictHeaders) {
  PageServer server(0, "page");
  auto client = client_of(server);
  for (const char* path : {"/", "/report.html", "/live.js", "/nothing"}) {
    const auto answer = client.Get(path);
    EXPECT_EQ(answer->get_header_value("X-Content-Type-Options"), "nosniff") << path;
    EXPECT_EQ(answer->get_header_value("Referrer-Policy"), "no-referrer") << path;
    EXPECT_EQ(answer->get_header_value("Cross-Origin-Resource-Policy"), "same-origin") << path;
    EXPECT_EQ(answer->get_header_value("Cache-Control"), "no-cache") << path;
    EXPECT_EQ(answer->get_header_value("Access-Control-Allow-Origin"), "") << path;
  }
  const auto policy = client.Get("/")->get_header_value("Content-Security-Policy");
  EXPECT_THAT(policy, HasSubstr("default-src 'none'"));
  EXPECT_THAT(policy, Not(HasSubstr("unsafe")));
}

TEST(PageServer, AnswersToNamesOfTheLoopbackOnly) {
  PageServer server(0, "secret");
  auto client = client_of(server);
  const auto port = ":" + std::to_string(server.port());
  for (const auto& host : {"127.0.0.1" + port, "localhost" + port}) {
    EXPECT_EQ(client.Get("/report.html", {{"Host", host}})->status, 200) << host;
  }
  for (const auto& host : {"evil.example" + port, std::string("evil.example"), std::string("localhost"),
                           "localhost.evil.example" + port, "127.0.0.1" + port + "0", std::string("127.0.0.1:1")}) {
    for (const char* path : {"/", "/report.html", "/nothing"}) {
      const auto answer = client.Get(path, {{"Host", host}});
      EXPECT_EQ(answer->status, 421) << host;
      EXPECT_THAT(answer->body, Not(HasSubstr("secret"))) << host;
    }
  }
}

TEST(PageServer, KnowsNoOtherPathAndChangesNothing) {
  PageServer server(0, "page");
  auto client = client_of(server);
  for (const char* path : {"/../etc/passwd", "/..%2f..%2fetc/passwd", "/report.html/", "//report.html", "/config.yaml",
                           "/report.html%00", "/REPORT.HTML"}) {
    EXPECT_EQ(client.Get(path)->status, 404) << path;
  }
  EXPECT_EQ(client.Post("/report.html", "x", "text/plain")->status, 405);
  EXPECT_EQ(client.Put("/report.html", "x", "text/plain")->status, 405);
  EXPECT_EQ(client.Delete("/report.html")->status, 405);
  EXPECT_EQ(client.Options("/")->status, 405);
  EXPECT_EQ(client.Get("/report.html")->body, "page");
}

TEST(PageServer, SharesItsPortWithNobody) {
  PageServer first(0, "page");
  const auto said = message_of<IoError>([&] { PageServer(first.port(), "other"); });
  EXPECT_THAT(said, HasSubstr("127.0.0.1:" + std::to_string(first.port())));
  EXPECT_THAT(said, HasSubstr("in use"));
  EXPECT_EQ(client_of(first).Get("/report.html")->body, "page");
}

}  // namespace
}  // namespace slopegan
