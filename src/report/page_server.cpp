#include "report/page_server.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <httplib.h>
#include <mutex>
#include <random>
#include <system_error>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

#include "support/checksums.h"
#include "support/errors.h"
#include "support/text.h"

namespace slopegan {

namespace {

/// `data-tag` is the ETag of /report.html when this page is served, just before the frame loads the report.
constexpr char frame_html[] = R"(<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>slopegan</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="live.css">
<script src="live.js" defer></script>
</head>
<body>
<iframe src="report.html" title="Report" data-tag="{}"></iframe>
<p role="status" hidden>The program that serves this page has ended.</p>
</body>
</html>
)";

constexpr const char* frame_css = R"(:root { color-scheme: light dark; }
html, body { margin: 0; height: 100%; }
iframe { border: 0; display: block; width: 100%; height: 100%; }
p { position: fixed; bottom: 0; left: 0; margin: 0; padding: 0.3em 0.8em; font: 14px sans-serif; color: #fff;
    background: #a00; }
[hidden] { display: none; }
)";

constexpr const char* frame_js = R"("use strict";
const frame = document.querySelector("iframe");
const ended = document.querySelector("p");
let shown = frame.dataset.tag;

function reload() {
  const top = frame.contentWindow.scrollY;
  frame.addEventListener("load", () => frame.contentWindow.scrollTo(0, top), {once: true});
  frame.contentWindow.location.reload();
}

async function poll() {
  try {
    const response = await fetch("report.html", {method: "HEAD", cache: "no-store"});
    const tag = response.headers.get("ETag").replace(/^W\/|"/g, "");
    ended.hidden = true;
    if (tag !== shown) reload();
    shown = tag;
  } catch {
    ended.hidden = false;
  }
}

setInterval(poll, 2000);
)";

constexpr const char* frame_policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; frame-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// Applied in addition to the policy in the report itself.
constexpr const char* report_policy = "frame-ancestors 'self'; base-uri 'none'; form-action 'none'";

struct ShownPage {
  std::string html, tag;
};

std::shared_ptr<const ShownPage> make_page(std::string html) {
  auto tag = sha256_hex(html).substr(0, 32);
  return std::make_shared<const ShownPage>(ShownPage{std::move(html), std::move(tag)});
}

/// Whether the name in a Host header is a loopback name or `own`. The port is ignored, because it may be a forwarded
/// port (ssh -L).
bool is_loopback_host(const std::string& header, const std::string& own) {
  const auto colon = header.rfind(':');
  const bool has_port = colon != std::string::npos && colon + 1 < header.size() &&
                        header.find_first_not_of("0123456789", colon + 1) == std::string::npos;
  const std::string name = lower_case(has_port ? header.substr(0, colon) : header);
  return name == "127.0.0.1" || name == "localhost" || name == "[::1]" || name == own;
}

/// Whether only this machine can connect to the address.
bool is_loopback_address(const std::string& host) {
  const bool is_ipv4 = host.find_first_not_of("0123456789.") == std::string::npos;
  return host == "localhost" || host == "::1" || (is_ipv4 && host.starts_with("127."));
}

/// 128 random bits as hexadecimal digits.
std::string make_token() {
  std::random_device random;
  std::string token;
  for (int i = 0; i < 4; ++i) token += format_text("{:08x}", random());
  return token;
}

/// The host in the URL of a server that listens on the address `host`: this address or, if it stands for all
/// interfaces, the name of this machine.
std::string name_of_address(const std::string& host) {
  if (host != "0.0.0.0" && host != "::") return host.find(':') == std::string::npos ? host : "[" + host + "]";
  char name[256] = {};
  return ::gethostname(name, sizeof name - 1) == 0 && name[0] != '\0' ? name : "localhost";
}

/// Sets SO_REUSEADDR instead of httplib's default, SO_REUSEPORT, which lets two programs listen on the same port.
void set_reuse_address(socket_t socket) {
  const int yes = 1;
  ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
}

}  // namespace

struct PageServer::Impl {
  httplib::Server server;
  int port = 0;
  std::mutex mutex;
  std::shared_ptr<const ShownPage> page;  // guarded by mutex
  std::atomic<bool> has_ended = false;    // whether the thread no longer accepts connections
  std::thread thread;
  std::string host;        // the address to listen on
  bool is_local = true;    // whether the host is a loopback address
  std::string base = "/";  // "/<token>/" unless is_local

  /// Compares all characters, so that the response time does not depend on how many of them match.
  bool starts_with_secret(const std::string& path) const {
    unsigned different = path.size() < base.size() ? 1 : 0;
    for (std::size_t i = 0; i < base.size() && i < path.size(); ++i) {
      different |= static_cast<unsigned char>(path[i] ^ base[i]);
    }
    return different == 0;
  }

  std::shared_ptr<const ShownPage> current() {
    const std::lock_guard lock(mutex);
    return page;
  }

  void set_limits() {
    server.set_socket_options(set_reuse_address);
    server.new_task_queue = [] { return new httplib::ThreadPool(4); };  // owned by the server
    server.set_payload_max_length(0);
    server.set_keep_alive_timeout(1);
    server.set_read_timeout(5);
    server.set_write_timeout(5);
    server.set_default_headers({{"X-Content-Type-Options", "nosniff"},
                                {"Referrer-Policy", "no-referrer"},
                                {"Cross-Origin-Resource-Policy", "same-origin"},
                                {"Cross-Origin-Opener-Policy", "same-origin"},
                                {"Cache-Control", "no-cache"}});
  }

  void add_handlers() {
    using httplib::Request, httplib::Response;
    server.set_pre_routing_handler([this](const Request& request, Response& response) {
      const bool is_read = request.method == "GET" || request.method == "HEAD";
      if (is_local && !is_loopback_host(request.get_header_value("Host"), host)) {
        response.status = 421;
        response.set_content("unknown host name\n", "text/plain");
      } else if (!is_local && !starts_with_secret(request.path)) {
        response.status = 403;
        response.set_content("the address must contain the token that the program printed\n", "text/plain");
      } else if (!is_read) {
        response.status = 405;
        response.set_header("Allow", "GET, HEAD");
        response.set_content("only GET and HEAD are supported\n", "text/plain");
      } else {
        return httplib::Server::HandlerResponse::Unhandled;
      }
      return httplib::Server::HandlerResponse::Handled;
    });
    server.Get(base, [this](const Request&, Response& response) {
      response.set_header("Content-Security-Policy", frame_policy);
      response.set_content(format_text(frame_html, current()->tag), "text/html; charset=utf-8");
    });
    server.Get(base + "live.js", [](const Request&, Response& response) {
      response.set_content(frame_js, "text/javascript; charset=utf-8");
    });
    server.Get(base + "live.css",
               [](const Request&, Response& response) { response.set_content(frame_css, "text/css; charset=utf-8"); });
    server.Get(base + "report.html", [this](const Request& request, Response& response) {
      const auto shown = current();
      const std::string tag = "W/\"" + shown->tag + "\"";  // weak, because the response may be compressed
      response.set_header("ETag", tag);
      response.set_header("Content-Security-Policy", report_policy);
      if (request.get_header_value("If-None-Match") == tag) {
        response.status = 304;
      } else {
        response.set_content(shown->html, "text/html; charset=utf-8");
      }
    });
    server.set_error_handler([](const Request&, Response& response) {
      if (response.body.empty()) response.set_content(format_text("{}\n", response.status), "text/plain");
    });
  }

  void listen(int wanted) {
    errno = 0;
    port = wanted == 0 ? server.bind_to_any_port(host) : server.bind_to_port(host, wanted) ? wanted : -1;
    if (port < 0) {
      const std::string reason = errno == 0 ? "the address is unknown, or the port is in use or not permitted"
                                            : std::generic_category().message(errno);
      throw IoError(format_text("cannot listen on {}:{} ({}); choose another {}", printable(host), wanted, reason,
                                is_local ? "port" : "port or --host"));
    }
    thread = std::thread([this] {
      server.listen_after_bind();
      has_ended = true;
    });
    // stop() has no effect before the server is running. If the server cannot accept connections, the thread ends
    // immediately.
    while (!server.is_running() && !has_ended) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    if (!has_ended) return;
    thread.join();
    throw_ended();
  }

  [[noreturn]] void throw_ended() const {
    throw IoError(format_text("cannot accept connections on {}:{}", printable(host), port));
  }
};

PageServer::PageServer(int port, std::string html, const std::string& host) : impl_(std::make_unique<Impl>()) {
  impl_->host = host;
  impl_->is_local = is_loopback_address(host);
  if (!impl_->is_local) impl_->base = "/" + make_token() + "/";
  impl_->page = make_page(std::move(html));
  impl_->set_limits();
  impl_->add_handlers();
  impl_->listen(port);
}

PageServer::~PageServer() {
  impl_->server.stop();
  impl_->thread.join();
}

void PageServer::check_running() const {
  if (impl_->has_ended) impl_->throw_ended();
}

int PageServer::port() const { return impl_->port; }

std::string PageServer::url() const {
  return format_text("http://{}:{}{}", name_of_address(impl_->host), impl_->port, impl_->base);
}

void PageServer::show(std::string html) {
  auto page = make_page(std::move(html));
  const std::lock_guard lock(impl_->mutex);
  impl_->page = std::move(page);
}

/// Whether a change to the file requires a new report. Reports do not depend on checkpoints, event files or other
/// reports. log.txt is ignored, because reports show only its last error, and run.json changes when a run ends with an
/// error.
static bool is_report_input(const std::filesystem::path& name) {
  const std::string text = name.string();
  return !text.starts_with('.') && !text.starts_with("events.out.") && text != "log.txt" && text != "checkpoints" &&
         name.extension() != ".html";
}

static void add_fingerprints(const std::filesystem::path& directory, int depth, std::vector<std::string>& lines) {
  std::error_code error;
  for (std::filesystem::directory_iterator entry(directory, error), end; !error && entry != end;
       entry.increment(error)) {
    if (!is_report_input(entry->path().filename())) continue;
    std::error_code ignored;
    if (entry->is_directory(ignored)) {
      if (depth > 0 && !entry->is_symlink(ignored)) add_fingerprints(entry->path(), depth - 1, lines);
      continue;
    }
    const auto size = entry->file_size(ignored);
    const auto time = entry->last_write_time(ignored).time_since_epoch().count();
    lines.push_back(format_text("{} {} {}", entry->path().native(), size, time));
  }
}

std::string results_fingerprint(const std::filesystem::path& directory) {
  constexpr int depth = 3;  // <sweep>/runs/<arm>/samples
  std::vector<std::string> lines;
  add_fingerprints(directory, depth, lines);
  std::sort(lines.begin(), lines.end());
  return join(lines, "\n");
}

}  // namespace slopegan
