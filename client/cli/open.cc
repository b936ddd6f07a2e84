// Open.
#include "absl/strings/str_cat.h"
#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/text/message_json.h"
#include "cli/text/state_text.h"
#include "nlohmann/json.hpp"

namespace poold::cli {
namespace {

absl::StatusOr<v1::PoolSpec> SpecFrom(const OpenOptions& options) {
  v1::PoolSpec spec = options.spec;
  if (options.initializer_args.empty()) return spec;
  auto args = ArgumentsFromWords(options.initializer_args);
  if (!args.ok()) return args.status();
  spec.mutable_initializer_args()->set_encoding(v1::ENCODING_MSGPACK);
  spec.mutable_initializer_args()->set_data(*std::move(args));
  return spec;
}

}  // namespace

ExitStatus Run(const OpenOptions& options, Context& context) {
  v1::OpenPoolRequest request;
  auto spec = SpecFrom(options);
  if (!spec.ok()) return ComplainUsage(std::string(spec.status().message()));
  *request.mutable_spec() = *std::move(spec);
  auto response = context.daemon().OpenPool(request);
  if (!response.ok()) return Complain(response.status());
  if (context.json()) {
    PrintJson(JsonFromMessage(*response));
    return ExitStatus::kOk;
  }
  const v1::Pool& pool = response->pool();
  PrintLine(absl::StrCat(pool.spec().name(), response->created() ? ": open, " : ": was open already, ",
                         Count(pool.workers_size(), "worker"), ", ", Count(pool.functions_size(), "function")));
  return ExitStatus::kOk;
}

}  // namespace poold::cli
