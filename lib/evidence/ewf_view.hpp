// The segment files of an EWF set as libewf should see them: their own bytes, with patches laid over some.
// libewf reads through our callbacks, which use pread on descriptors opened here, so that this works in the
// sandbox too. One thread.
#pragma once

#include <libewf.h>

#include <memory>
#include <vector>

#include "evidence/ewf_segments.hpp"
#include "model/result.hpp"

namespace touchstone {

class EwfView {
 public:
  /// Opens the first `files` files of `set`. Errors: io.
  static Result<std::unique_ptr<EwfView>> open(const EwfSet& set, std::size_t files);
  /// Lays one more patch over file `index`.
  void add_patch(std::size_t index, BytePatch patch);
  /// Opens `handle` over the files. The view must outlive the handle. 1 if it worked, as libewf has it.
  int open_handle(libewf_handle_t* handle, libewf_error_t** error);

  ~EwfView();
  EwfView(const EwfView&) = delete;
  EwfView& operator=(const EwfView&) = delete;

 private:
  struct Pool;
  EwfView();
  std::unique_ptr<Pool> pool_;
};

}  // namespace touchstone
