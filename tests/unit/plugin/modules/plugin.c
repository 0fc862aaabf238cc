/* A plugin in C that says how many bytes an item has; each FAULT_ macro makes one thing wrong with it. */
#include <touchstone/plugin_abi.h>

#ifndef FAULT_NO_SYMBOL

typedef struct length_plugin {
  const ts_host_v1* host;
} length_plugin;

static length_plugin instance;

static ts_str text_of(const char* text) {
  ts_str out = {text, 0};
  while (text[out.size]) ++out.size;
  return out;
}

static ts_status create(const ts_host_v1* host, void** self) {
  instance.host = host;
  host->declare_rule(host, text_of("length"), text_of("1"), text_of("Length of the item"));
  *self = &instance;
  return TS_OK;
}
static void destroy(void* self) {
  (void)self;
}
static ts_status begin(void* self, ts_job* job) {
  const ts_host_v1* host = ((length_plugin*)self)->host;
  ts_finding finding = {0};
  finding.struct_size = (uint32_t)sizeof finding;
  finding.confidence = (int32_t)host->size(job);
  finding.rule = text_of("length");
  finding.title = host->media_type(job);
  host->emit_finding(job, &finding);
  return TS_OK;
}
static ts_status data(void* self, ts_job* job, uint64_t offset, ts_bytes bytes) {
  (void)self, (void)job, (void)offset, (void)bytes;
  return TS_OK;
}
static ts_status text(void* self, ts_job* job, uint64_t offset, size_t overlap, ts_str window) {
  (void)self, (void)job, (void)offset, (void)overlap, (void)window;
  return TS_OK;
}
static ts_status records(void* self, ts_job* job, const ts_record* batch, size_t count) {
  (void)self, (void)job, (void)batch, (void)count;
  return TS_OK;
}
static ts_status finish(void* self, ts_job* job) {
  (void)self, (void)job;
  return TS_OK;
}
static ts_status list(void* self, ts_job* job) {
  (void)self, (void)job;
  return TS_UNSUPPORTED;
}
static ts_status extract(void* self, ts_job* job, uint32_t first, uint32_t count) {
  (void)self, (void)job, (void)first, (void)count;
  return TS_UNSUPPORTED;
}
static ts_status provide(void* self, ts_job* job, ts_facet facet) {
  (void)self, (void)job, (void)facet;
  return TS_UNSUPPORTED;
}

static ts_plugin_v1 table;

__attribute__((visibility("default"))) const ts_plugin_v1* touchstone_plugin_v1(void);
const ts_plugin_v1* touchstone_plugin_v1(void) {
  const ts_plugin_v1 whole = {.struct_size = (uint32_t)sizeof(ts_plugin_v1),
                              .abi_major = TS_ABI_MAJOR,
                              .abi_minor = TS_ABI_MINOR,
                              .name = PLUGIN_NAME,
                              .version = "1.0",
                              .summary = "Says how many bytes an item has",
                              .licence = "Apache-2.0",
                              .roles = TS_ROLE_PROVIDER | TS_ROLE_EXTRACTOR | TS_ROLE_CLASSIFIER,
                              .inputs = TS_INPUT_DATA | TS_INPUT_TEXT | TS_INPUT_RECORDS | TS_INPUT_MEMBERS,
                              .provides = TS_FACET_TEXT,
                              .create = create,
                              .destroy = destroy,
                              .begin = begin,
                              .data = data,
                              .text = text,
                              .records = records,
                              .finish = finish,
                              .list = list,
                              .extract = extract,
                              .provide = provide};
  table = whole;
#if defined(FAULT_RETURNS_NULL)
  return 0;
#elif defined(FAULT_WRONG_MAJOR)
  table.abi_major = TS_ABI_MAJOR + 1;
#elif defined(FAULT_LARGER_MINOR)
  table.abi_minor = TS_ABI_MINOR + 1;
#elif defined(FAULT_SHORT_TABLE)
  table.struct_size = (uint32_t)offsetof(ts_plugin_v1, provide);
#elif defined(FAULT_OTHER_NAME)
  table.name = "another";
#elif defined(FAULT_NO_NAME)
  table.name = 0;
#elif defined(FAULT_NO_VERSION)
  table.version = 0;
#elif defined(FAULT_NO_ROLE)
  table.roles = 0;
#elif defined(FAULT_ROLE_UNKNOWN)
  table.roles = 8;
#elif defined(FAULT_NO_CREATE)
  table.create = 0;
#elif defined(FAULT_NO_DESTROY)
  table.destroy = 0;
#elif defined(FAULT_NO_BEGIN)
  table.begin = 0;
#elif defined(FAULT_NO_FINISH)
  table.finish = 0;
#elif defined(FAULT_NO_DATA)
  table.data = 0;
#elif defined(FAULT_NO_TEXT)
  table.text = 0;
#elif defined(FAULT_NO_RECORDS)
  table.records = 0;
#elif defined(FAULT_NO_LIST)
  table.list = 0;
#elif defined(FAULT_NO_EXTRACT)
  table.extract = 0;
#elif defined(FAULT_NO_PROVIDE)
  table.provide = 0;
#elif defined(FAULT_NO_FACET)
  table.provides = 0;
#endif
  return &table;
}

#else
int nothing_here(void);
int nothing_here(void) {
  return 0;
}
#endif
