/* The interface is plain C11: this file is the proof. */
#include "unit/plugin/abi_layout.h"

size_t layout_in_c(void);
size_t layout_in_c(void) {
  return sizeof(ts_host_v1) * 1000000 + sizeof(ts_plugin_v1) * 1000 + sizeof(ts_finding);
}
