#include "report/page_server.h"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <httplib.h>
#include <netinet/in.h>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

#include <gmock/gmock.h>

#include "expect_error.h"
#include "support/errors.h"
#include "temporary_directory.h"

namespace slopegan {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

httplib::Client client_of(const PageServer& server) { return httplib::Client("127.0.0.1", server.port()); }

TEST(PageServer, ServesThePageInAFrameWithItsEtag) {
  PageServer server(0, "<p>first");
  auto client = client_of(server);
  const auto frame = client.Get("/");
  ASSERT_TRUE(frame);
  EXPECT_EQ(frame->status, 200);
  const auto first = client.Get("/report.html");
  EXPECT_EQ(first->body, "<p>first");
  const auto tag = first->get_header_value("ETag");
  EXPECT_THAT(frame->body, HasSubstr("data-tag=\"" + tag.substr(3, tag.size() - 4) + "\""));
  for (const std::string name : {"live.js", "live.css"}) {
    EXPECT_THAT(frame->body, HasSubstr("\"" + name + "\"")) << "relative, because the path may start with a token";
    EXPECT_EQ(client.Get("/" + name)->status, 200);
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

TEST(PageServer, SendsStrictSecurityHeaders) {
  PageServer server(0, "page");
  auto client = client_of(server);
  for (const char* path : {"/", "/report.html", "/live.js", "/nothing"}) {
    const auto response = client.Get(path);
    EXPECT_EQ(response->get_header_value("X-Content-Type-Options"), "nosniff") << path;
    EXPECT_EQ(response->get_header_value("Referrer-Policy"), "no-referrer") << path;
    EXPECT_EQ(response->get_header_value("Cross-Origin-Resource-Policy"), "same-origin") << path;
    EXPECT_EQ(response->get_header_value("Cache-Control"), "no-cache") << path;
    EXPECT_EQ(response->get_header_value("Access-Control-Allow-Origin"), "") << path;
  }
  const auto policy = client.Get("/")->get_header_value("Content-Security-Policy");
  EXPECT_THAT(policy, HasSubstr("default-src 'none'"));
  EXPECT_THAT(policy, Not(HasSubstr("unsafe")));
}

TEST(PageServer, RejectsHostsThatAreNotLoopbackNames) {
  PageServer server(0, "secret");
  auto client = client_of(server);
  const auto port = ":" + std::to_string(server.port());
  // Any port is accepted, because a forwarded port may have a different number.
  for (const auto& host : {"127.0.0.1" + port, "localhost" + port, std::string("localhost:9000"),
                           std::string("LOCALHOST"), std::string("[::1]:9000")}) {
    EXPECT_EQ(client.Get("/report.html", {{"Host", host}})->status, 200) << host;
  }
  for (const auto& host :
       {"evil.example" + port, std::string("evil.example"), "localhost.evil.example" + port, "127.0.0.1.evil" + port,
        std::string("127.0.0.1:evil"), std::string("localhost:"), std::string("[::1]evil:80"), std::string(":80")}) {
    for (const char* path : {"/", "/report.html", "/nothing"}) {
      const auto response = client.Get(path, {{"Host", host}});
      EXPECT_EQ(response->status, 421) << host;
      EXPECT_THAT(response->body, Not(HasSubstr("secret"))) << host;
    }
  }
}

/// The response to a raw request, which may lack or repeat headers.
std::string raw_response(int port, const std::string& request) {
  const int descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(::connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  EXPECT_EQ(::send(descriptor, request.data(), request.size(), 0), std::ssize(request));
  std::string response;
  char part[4096];
  for (ssize_t count; (count = ::recv(descriptor, part, sizeof part, 0)) > 0;) {
    response.append(part, static_cast<std::size_t>(count));
  }
  ::close(descriptor);
  return response;
}

std::string status_of(int port, const std::string& path, const std::string& headers) {
  const auto response = raw_response(port, "GET " + path + " HTTP/1.1\r\n" + headers + "Connection: close\r\n\r\n");
  return response.substr(0, response.find('\r'));
}

TEST(PageServer, AcceptsAForwardedPortAndRejectsRequestsWithoutAHost) {
  PageServer server(0, "page");
  EXPECT_EQ(server.url(), "http://127.0.0.1:" + std::to_string(server.port()) + "/");
  EXPECT_THAT(status_of(server.port(), "/report.html", "Host: 127.0.0.1:9000\r\n"), HasSubstr("200"));
  EXPECT_THAT(status_of(server.port(), "/report.html", "Host: evil.example:9000\r\n"), HasSubstr("421"));
  EXPECT_THAT(status_of(server.port(), "/report.html", ""), HasSubstr("421"));
}

TEST(PageServer, RequiresATokenOnNonLoopbackAddresses) {
  PageServer server(0, "page", "0.0.0.0"), other(0, "page", "0.0.0.0");
  const std::string base = server.url().substr(server.url().find('/', 7));
  EXPECT_THAT(base, ::testing::MatchesRegex("/[0-9a-f]*/"));
  EXPECT_EQ(base.size(), 34u);
  EXPECT_NE(base, other.url().substr(other.url().find('/', 7)));
  const std::string different_digit = base[1] == '0' ? "1" : "0";
  for (const std::string host : {"Host: node7:8000\r\n", "Host: 127.0.0.1\r\n", ""}) {
    for (const char* name : {"", "report.html", "live.js", "live.css"}) {
      EXPECT_THAT(status_of(server.port(), base + name, host), HasSubstr("200")) << name;
      EXPECT_THAT(status_of(server.port(), "/" + std::string(name), host), HasSubstr("403")) << name;
    }
    for (const auto& path :
         {base.substr(0, 33), base.substr(0, 20), "/" + different_digit + base.substr(2) + "report.html",
          "/report.html?token=" + base.substr(1)}) {
      EXPECT_THAT(status_of(server.port(), path, host), HasSubstr("403")) << path;
    }
  }
  EXPECT_THAT(raw_response(server.port(), "POST / HTTP/1.1\r\nConnection: close\r\n\r\n"), HasSubstr("403"));
}

TEST(PageServer, ListensOnAHostName) {
  PageServer server(0, "page", "localhost");
  EXPECT_EQ(server.url(), "http://localhost:" + std::to_string(server.port()) + "/");
  const auto response = httplib::Client("localhost", server.port()).Get("/report.html");
  ASSERT_TRUE(response);
  EXPECT_EQ(response->body, "page");
}

/// Whether this machine has an IPv6 loopback address; containers often do not.
bool has_ipv6() {
  const int descriptor = ::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_addr = in6addr_loopback;
  const bool can_bind =
      descriptor >= 0 && ::bind(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  if (descriptor >= 0) ::close(descriptor);
  return can_bind;
}

TEST(PageServer, ListensOnAllIpv6AddressesWithAToken) {
  if (!has_ipv6()) GTEST_SKIP() << "this machine has no IPv6";
  PageServer server(0, "page", "::");
  const std::string url = server.url();
  const std::string base = url.substr(url.find('/', 7));
  EXPECT_EQ(base.size(), 34u) << url;
  EXPECT_THAT(url, Not(HasSubstr("::"))) << "the URL contains the name of the machine";
  httplib::Client client("::1", server.port());
  const auto response = client.Get(base + "report.html");
  ASSERT_TRUE(response);
  EXPECT_EQ(response->body, "page");
  EXPECT_EQ(client.Get("/report.html")->status, 403);
  EXPECT_THAT(PageServer(0, "page", "::1").url(), HasSubstr("http://[::1]:"));
}

TEST(PageServer, RejectsUnknownAddresses) {
  EXPECT_THAT(message_of<IoError>([] { PageServer(0, "page", "no.such.host.invalid"); }),
              HasSubstr("cannot listen on no.such.host.invalid"));
}

/// Returns the descriptor of the socket that listens on `port` in this process, or -1 if there is none.
int listening_socket(int port) {
  for (int descriptor = 3; descriptor < 1024; ++descriptor) {
    sockaddr_in address{};
    socklen_t size = sizeof address;
    int listens = 0;
    socklen_t listens_size = sizeof listens;
    if (::getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &listens, &listens_size) != 0 || listens == 0) continue;
    if (::getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &size) != 0) continue;
    if (address.sin_family == AF_INET && ntohs(address.sin_port) == port) return descriptor;
  }
  return -1;
}

TEST(PageServer, ReportsThatItNoLongerAcceptsConnections) {
  const PageServer server(0, "page");
  server.check_running();
  const int descriptor = listening_socket(server.port());
  ASSERT_GE(descriptor, 0);
  ASSERT_EQ(::shutdown(descriptor, SHUT_RDWR), 0);
  std::string message;
  for (int i = 0; i < 6000 && message.empty(); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    try {
      server.check_running();
    } catch (const IoError& error) {
      message = error.what();
    }
  }
  EXPECT_EQ(message, "cannot accept connections on 127.0.0.1:" + std::to_string(server.port()));
}

TEST(PageServer, RejectsUnknownPathsAndMethods) {
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

TEST(PageServer, DoesNotShareItsPort) {
  PageServer first(0, "page");
  const auto message = message_of<IoError>([&] { PageServer(first.port(), "other"); });
  EXPECT_THAT(message, HasSubstr("127.0.0.1:" + std::to_string(first.port())));
  EXPECT_THAT(message, HasSubstr("in use"));
  EXPECT_EQ(client_of(first).Get("/report.html")->body, "page");
}

TEST(ResultsFingerprint, ChangesOnlyWithFilesThatAReportShows) {
  const TemporaryDirectory directory;
  for (const char* folder : {"runs/arm/samples", "runs/arm/checkpoints/640"}) {
    std::filesystem::create_directories(directory / folder);
  }
  std::string before = results_fingerprint(directory.path());
  const auto changes = [&](const std::string& name) {
    std::ofstream(directory / name, std::ios::app) << "x";
    const auto after = results_fingerprint(directory.path());
    const bool changed = after != before;
    before = after;
    return changed;
  };
  for (const char* name :
       {"sweep.yaml", "results.csv", "runs/arm/history.jsonl", "runs/arm/history.jsonl", "runs/arm/samples/640.png"}) {
    EXPECT_TRUE(changes(name)) << name;
  }
  for (const char* name : {"report.html", ".tmp-x", "runs/arm/log.txt", "runs/arm/.lock",
                           "runs/arm/events.out.tfevents.1.slopegan", "runs/arm/checkpoints/640/manifest.json"}) {
    EXPECT_FALSE(changes(name)) << name;
  }
  std::filesystem::remove(directory / "runs/arm/samples/640.png");
  EXPECT_NE(results_fingerprint(directory.path()), before);
  EXPECT_EQ(results_fingerprint(directory / "nothing"), "");
}

}  // namespace
}  // namespace slopegan
