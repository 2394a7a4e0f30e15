#pragma once

#include <filesystem>
#include <memory>
#include <string>

namespace slopegan {

/// Serves one page to local browsers at http://127.0.0.1:<port>/ and updates it in place: the page at / shows
/// /report.html in a frame, polls its ETag every two seconds, and reloads the frame when the ETag changes.
///
/// Only GET and HEAD requests for four fixed paths are answered, from memory; no file is ever served. Requests whose
/// Host header is not a loopback name are rejected, which prevents DNS rebinding attacks.
class PageServer {
 public:
  /// Starts listening on `port`, or on a free port if it is 0. Throws IoError if the port is in use or not permitted.
  PageServer(int port, std::string html);
  /// Completes pending requests and stops listening.
  ~PageServer();
  PageServer(const PageServer&) = delete;
  PageServer& operator=(const PageServer&) = delete;

  int port() const;

  /// Replaces the page. Thread-safe.
  void show(std::string html);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// A fingerprint of the names, sizes and modification times of those files of a run or sweep that a report shows. Two
/// calls return different strings if any of these files has changed in between. Unreadable files are ignored.
std::string results_fingerprint(const std::filesystem::path& directory);

}  // namespace slopegan
