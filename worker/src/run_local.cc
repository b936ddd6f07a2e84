#include "run_local.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "failure.h"
#include "own_process.h"
#include "poold/codec/codec.h"
#include "startup.h"
#include "wire/frame.h"

namespace poold::worker {
namespace {

constexpr int kFailed = 1;
constexpr int kNotStarted = 2;

constexpr char kHelp[] =
    "A worker program of poold: it runs the tasks of one pool. The daemon starts it; a pool names it or the modules\n"
    "that it is to load. By hand:\n"
    "\n"
    "  --functions [MODULE...]     list the functions of this program and of these modules\n"
    "  --run FUNCTION              run this function here and now, without a daemon; for a debugger, too\n"
    "    --module MODULE           a module to load; may be repeated\n"
    "    --arguments FILE          its arguments, encoded; - is stdin (none: no arguments)\n"
    "    --encoding ENCODING       of the arguments: msgpack (an array), protobuf or raw (msgpack)\n"
    "    --type-name NAME          the protobuf message name of the arguments\n"
    "    --attempt N               what the function sees as its attempt (1)\n"
    "    --preload FUNCTION        run this one before; may be repeated\n"
    "    --initializer FUNCTION    run this one before, behind the preload functions\n"
    "    --initializer-arguments FILE, --initializer-encoding ENCODING\n"
    "    --allow-exec              with the built-in function exec\n"
    "  --help                      print this\n"
    "\n"
    "MODULE is a file, or the name of a module that is installed with this program. --run prints the result "
    "(MessagePack\n"
    "as JSON) to stdout, or the failure and where it was thrown to stderr.\n"
    "Exit status of --run: 0 the function succeeded, 1 it failed, 2 it was not reached (a module does not load, a\n"
    "preload function or the initializer failed, there is no such function), 64 wrong options. A crash ends it with "
    "its\n"
    "signal.\n";

struct Wrong {
  std::string what;
};

bool IsFile(const std::string& path) {
  struct stat stat;
  return ::stat(path.c_str(), &stat) == 0 && S_ISREG(stat.st_mode);
}

// As the loader wants it: without a slash it would search the library folders.
std::string ModulePath(const std::string& name) {
  if (name.find('/') != std::string::npos) return name;
  if (IsFile(name)) return "./" + name;
  char self[4096];
  const ssize_t length = readlink("/proc/self/exe", self, sizeof self);
  if (length <= 0) return "./" + name;
  const std::string program(self, static_cast<std::size_t>(length));
  const std::string installed = program.substr(0, program.rfind('/')) + "/../lib/poold/modules/" + name;
  for (const char* ending : {"", ".so"}) {
    if (IsFile(installed + ending)) return installed + ending;
  }
  return "./" + name;
}

std::string ReadFile(const std::string& path) {
  std::ifstream file;
  if (path != "-") file.open(path, std::ios::binary);
  if (path != "-" && !file) throw Wrong{"cannot read " + path};
  std::istream& from = path == "-" ? std::cin : file;
  return {std::istreambuf_iterator<char>(from), {}};
}

internal::Encoding ParseEncoding(const std::string& text) {
  if (text == "msgpack") return internal::ENCODING_MSGPACK;
  if (text == "protobuf") return internal::ENCODING_PROTOBUF;
  if (text == "raw") return internal::ENCODING_RAW;
  throw Wrong{"an encoding is msgpack, protobuf or raw, not " + text};
}

// What --run is to do.
struct Order {
  internal::Setup setup;
  std::string function;
  std::optional<std::string> args;
  internal::Encoding encoding = internal::ENCODING_MSGPACK;
  std::string type_name;
  std::uint32_t attempt = 1;
};

Order ParseOrder(int argc, char** argv) {
  Order order;
  order.setup.set_protocol_version(wire::kProtocolVersion);
  order.setup.set_initializer_encoding(internal::ENCODING_MSGPACK);
  for (int i = 1; i < argc; ++i) {
    const std::string option = argv[i];
    if (option == "--allow-exec") {
      order.setup.set_allow_exec(true);
      continue;
    }
    const auto is = [&](const char* name) { return option == name; };
    if (i + 1 == argc) throw Wrong{option + ": unknown, or its value is missing"};
    const std::string value = argv[++i];
    if (is("--run")) {
      order.function = value;
    } else if (is("--module")) {
      order.setup.add_module_paths(ModulePath(value));
    } else if (is("--arguments")) {
      order.args = ReadFile(value);
    } else if (is("--encoding")) {
      order.encoding = ParseEncoding(value);
    } else if (is("--type-name")) {
      order.type_name = value;
    } else if (is("--attempt")) {
      order.attempt = static_cast<std::uint32_t>(std::strtoul(value.c_str(), nullptr, 10));
    } else if (is("--preload")) {
      order.setup.add_preload(value);
    } else if (is("--initializer")) {
      order.setup.set_initializer(value);
    } else if (is("--initializer-arguments")) {
      order.setup.set_initializer_args(ReadFile(value));
    } else if (is("--initializer-encoding")) {
      order.setup.set_initializer_encoding(ParseEncoding(value));
    } else {
      throw Wrong{"unknown option " + option};
    }
  }
  // No arguments are an empty list of them.
  if (order.setup.initializer_args().empty()) order.setup.set_initializer_args("\x90");
  return order;
}

void Print(const TaskFailure& failure) {
  std::fprintf(stderr, "%s: %s\n%s", failure.type.c_str(), failure.message.c_str(), failure.backtrace.c_str());
}

int NotStarted(const internal::StartFailed& failed) {
  std::fprintf(stderr, "%s\n%s", failed.failure().message().c_str(), failed.failure().backtrace().c_str());
  return kNotStarted;
}

void PrintResult(const Reply& reply) {
  std::string text = reply.data;
  if (reply.encoding == Encoding::kMsgpack) {
    (void)codec::VisitValue(reply.data, [&](const msgpack::object& value) {
      std::ostringstream json;
      json << value << '\n';
      text = json.str();
    });
  }
  std::cout << text << std::flush;
}

class ProgressPrinter : public ProgressSink {
 public:
  void Report(double fraction, std::string_view text) override {
    const std::string known = fraction >= 0 ? std::to_string(static_cast<int>(100 * fraction)) + " % " : "";
    std::fprintf(stderr, "progress: %s%.*s\n", known.c_str(), static_cast<int>(text.size()), text.data());
  }
};

int Run(const Order& order) {
  PrepareToSeeThrows();
  Startup startup(Startup::Fate::kLocal);
  ProgressPrinter progress;
  if (auto failed = startup.Load(order.setup)) return NotStarted(*failed);
  const Function* const function = startup.functions().Find(order.function);
  if (function == nullptr) {
    std::fprintf(stderr, "no function '%s' is registered; --functions lists them\n", order.function.c_str());
    return kNotStarted;
  }
  if (auto failed = startup.Preload()) return NotStarted(*failed);
  if (auto failed = startup.Initialize()) return NotStarted(*failed);

  startup.ListenToProgress(&progress);
  startup.context().function = function->name;
  startup.context().attempt = order.attempt;
  Call call{function->name, static_cast<Encoding>(order.encoding), order.type_name, "\x90"};
  if (order.args) call.args = *order.args;
  Reply reply;
  try {
    function->invoke(call, &reply);
    LeaveIfChild(kChildReturned);
  } catch (...) {
    LeaveIfChild(kChildThrew);
    reply.failure = FailureOfException();
  }
  std::fflush(nullptr);
  if (reply.failure) {
    Print(*reply.failure);
    return kFailed;
  }
  PrintResult(reply);
  return 0;
}

int ListFunctions(int count, char** modules) {
  Startup startup(Startup::Fate::kLocal);
  internal::Setup setup;
  setup.set_protocol_version(wire::kProtocolVersion);
  for (int i = 0; i < count; ++i) setup.add_module_paths(ModulePath(modules[i]));
  if (auto failed = startup.Load(setup)) {
    std::fprintf(stderr, "%s\n", failed->failure().message().c_str());
    return kFailed;
  }
  for (const Function& function : startup.functions().functions()) {
    std::printf("%s%s%s\n", function.name.c_str(), function.help.empty() ? "" : "  ", function.help.c_str());
  }
  if (std::fflush(stdout) == 0) return 0;
  std::perror("standard output");
  return kFailed;
}

}  // namespace

int RunLocal(int argc, char** argv) {
  const std::string_view option = argc > 1 ? argv[1] : "";
  if (option == "--functions") return ListFunctions(argc - 2, argv + 2);
  if (option == "--help" || option == "-h") {
    std::fputs(kHelp, stdout);
    return 0;
  }
  if (option.empty()) {
    std::fprintf(stderr,
                 "%s is a worker program of poold and is started by the daemon (POOLD_CHANNEL_FD is not set).\n"
                 "Start poold and name this program or its modules in a pool; --functions lists what it can run.\n",
                 argv[0]);
    return kUsageError;
  }
  try {
    const Order order = ParseOrder(argc, argv);
    if (order.function.empty()) throw Wrong{"--run names the function"};
    return Run(order);
  } catch (const Wrong& wrong) {
    std::fprintf(stderr, "%s: %s; see --help\n", argv[0], wrong.what.c_str());
    return kUsageError;
  }
}

}  // namespace poold::worker
