/// Where an image appears: a file that has no name until it is complete, or a stream.
#pragma once

#include <memory>
#include <string>

namespace debroot::pack {

/// One `-o` that is a file. Opened before the build starts, so that an unwritable place fails at once; what stood there
/// before is replaced whole by `finish` and untouched without it. Lives in the process that sees the host's files; the
/// descriptor is what crosses to the packing process. That of a file can be read and written anywhere.
class OutputFile {
 public:
  /// "-" is standard output; FIFOs, devices and the like are written directly; anything else becomes a file with mode
  /// 0666 less the umask. A link is followed: the file it names is made or replaced. Opening a FIFO waits for its
  /// reader.
  /// @throws Error of kind usage for a terminal, a directory or a parent that is missing or none, of kind output when
  /// the place cannot be written, of kind interrupted when a signal ends the wait for a FIFO's reader
  [[nodiscard]] static OutputFile open(const std::string &path);

  OutputFile(OutputFile &&) noexcept;
  OutputFile &operator=(OutputFile &&) noexcept;
  /// Without a `finish` nothing is left behind.
  ~OutputFile();

  /// For ImageSink::fd; valid until `finish`.
  [[nodiscard]] int fd() const noexcept;
  /// The path as given, for ImageSink::name.
  [[nodiscard]] const std::string &path() const noexcept;

  /// Closes, checked, and gives the file its name. Nothing is synced to the disk. @throws Error of kind output
  void finish();

 private:
  struct State;
  explicit OutputFile(std::unique_ptr<State> state) noexcept;

  std::unique_ptr<State> state_;
};

}  // namespace debroot::pack
