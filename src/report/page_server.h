#pragma once

#include <memory>
#include <string>

namespace slopegan {

/// Shows one page to browsers of this machine at http://127.0.0.1:<port>/, and each newer version as soon as there is
/// one: the page at / frames /report.html and asks every few seconds whether its ETag is still the same.
///
/// It answers GET and HEAD of four fixed paths from memory and reads no file. What is not asked of it by a name of the
/// loopback is refused, because a foreign site may point its own name there (DNS rebinding).
class PageServer {
 public:
  /// Listens from now on, on `port`, or on a free one where that is 0. Throws IoError where it is in use or may not be
  /// used.
  PageServer(int port, std::string html);
  /// Answers what is being asked, and closes.
  ~PageServer();
  PageServer(const PageServer&) = delete;
  PageServer& operator=(const PageServer&) = delete;

  int port() const;

  /// The page from now on. Thread-safe.
  void show(std::string html);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace slopegan
