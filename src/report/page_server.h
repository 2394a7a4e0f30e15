#pragma once

#include <filesystem>
#include <memory>
#include <string>

namespace slopegan {

/// Serves one page to browsers and updates it in place: the page at / shows /report.html in a frame, polls its ETag
/// every two seconds, and reloads the frame when the ETag changes.
///
/// Only GET and HEAD requests for four fixed paths are answered, from memory; no file is ever served. On a loopback
/// address, requests whose Host header is not a loopback name are rejected with 421, which prevents DNS rebinding
/// attacks. On any other address, all paths start with a random token, and requests without it are rejected with 403.
class PageServer {
 public:
  /// Starts listening on `port` of the address `host`, or on a free port if `port` is 0. Throws IoError if the address
  /// is unknown, if the port is in use or not permitted, or if the server cannot accept connections.
  PageServer(int port, std::string html, const std::string& host = "127.0.0.1");
  /// Completes pending requests and stops listening.
  ~PageServer();
  PageServer(const PageServer&) = delete;
  PageServer& operator=(const PageServer&) = delete;

  /// Throws IoError if the server no longer accepts connections.
  void check_running() const;

  int port() const;
  /// The address of the page, with the token if there is one.
  std::string url() const;

  /// Replaces the page. Thread-safe.
  void show(std::string html);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// A fingerprint of the names, sizes and modification times of the files of a run or sweep that a report shows, except
/// for log.txt. Two calls return different strings if any of these files has changed in between. Unreadable directories
/// are ignored.
std::string results_fingerprint(const std::filesystem::path& directory);

}  // namespace slopegan
