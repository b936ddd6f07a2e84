#include "process/setup_frame.h"

#include "poold/internal/worker.pb.h"
#include "wire/frame.h"

namespace poold::process {

std::string MakeSetupFrame(const core::PoolSpec& spec, std::uint32_t generation, std::uint64_t max_result_bytes,
                           const std::string& exec_path, const std::vector<KernelLimit>& limits) {
  internal::Setup setup;
  setup.set_protocol_version(wire::kProtocolVersion);
  setup.set_pool(spec.name);
  setup.set_generation(generation);
  setup.set_exec_path(exec_path);
  setup.set_max_result_bytes(max_result_bytes);
  setup.set_takes_result_arenas(true);
  if (exec_path.empty()) {
    for (const std::string& path : spec.module_paths) setup.add_module_paths(path);
    for (const std::string& name : spec.preload) setup.add_preload(name);
    setup.set_initializer(spec.initializer);
    setup.set_initializer_args(spec.initializer_args);
    setup.set_initializer_encoding(static_cast<internal::Encoding>(spec.initializer_encoding));
    setup.set_allow_exec(spec.allow_exec);
  }
  for (const KernelLimit& limit : limits) {
    internal::ResourceLimit* const added = setup.add_limits();
    added->set_resource(static_cast<std::uint32_t>(limit.resource));
    added->set_soft(limit.soft);
    added->set_hard(limit.hard);
  }
  std::string frame;
  wire::AppendFrame(internal::FRAME_KIND_SETUP, &setup, {}, &frame);
  return frame;
}

}  // namespace poold::process
