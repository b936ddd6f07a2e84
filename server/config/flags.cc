#include "config/flags.h"

#include <CLI/CLI.hpp>
#include <functional>
#include <utility>

#include "config/toml.h"

namespace poold::config {
namespace {

constexpr const char* kAbout =
    "poold, a process pool as a service: it keeps pools of worker processes and runs the tasks that clients submit "
    "over "
    "gRPC.";

constexpr const char* kFooter = R"(
Every key of the configuration can be set: --set 'limits.max_pools = 8'. See --print-config.

Signals:
  SIGTERM, SIGINT   take nothing new, let tasks end for the drain limit, stop; a second one terminates them at once

Exit status:
  0    stopped as asked
  64   wrong usage of the command line
  69   it cannot listen: the socket belongs to a live daemon, or the address cannot be bound
  70   an error inside poold
  74   what it prints cannot be written
  78   the configuration is wrong, or names something that is not there)";

std::string QuotedList(const std::vector<std::string>& texts) {
  std::string list = "[";
  for (const std::string& text : texts) list += (list.size() > 1 ? ", " : "") + Quote(text);
  return list + "]";
}

// "--listen" of "-l,--listen".
std::string LongName(const std::string& flag) { return flag.substr(flag.find("--")); }

// Declares flags that become settings. App and flags outlive it.
class FlagSet {
 public:
  FlagSet(CLI::App* app, Flags* flags) : app_(*app), settings_(&flags->settings) {}

  // The value as it is: a number.
  void Number(const std::string& flag, const std::string& key, const std::string& help) {
    One(flag, key, help, [](const std::string& value) { return value; })->type_name("N");
  }
  void Text(const std::string& flag, const std::string& key, const std::string& type, const std::string& help) {
    One(flag, key, help, [](const std::string& value) { return Quote(value); })->type_name(type);
  }
  void Texts(const std::string& flag, const std::string& key, const std::string& type, const std::string& help) {
    app_.add_option_function<std::vector<std::string>>(
            flag,
            [settings = settings_, flag, key](const std::vector<std::string>& values) {
              settings->push_back({LongName(flag), key + " = " + QuotedList(values)});
            },
            help)
        ->allow_extra_args(false)
        ->type_name(type);
  }
  void Set() {
    app_.add_option_function<std::vector<std::string>>(
            "--set",
            [settings = settings_](const std::vector<std::string>& values) {
              for (const std::string& value : values) settings->push_back({"--set", value});
            },
            "One more line of configuration, repeatable")
        ->allow_extra_args(false)
        ->type_name("'KEY = VALUE'");
  }

 private:
  CLI::Option* One(const std::string& flag, const std::string& key, const std::string& help,
                   std::function<std::string(const std::string&)> to_toml) {
    return app_.add_option_function<std::string>(
        flag,
        [settings = settings_, flag, key, to_toml = std::move(to_toml)](const std::string& value) {
          settings->push_back({LongName(flag), key + " = " + to_toml(value)});
        },
        help);
  }

  CLI::App& app_;
  std::vector<Setting>* const settings_;
};

void DeclareFlags(CLI::App* app, Flags* flags) {
  app->add_option("-c,--config", flags->config_file, "The configuration file (TOML)")->type_name("FILE");
  FlagSet set(app, flags);
  set.Texts("-l,--listen", "listen", "ADDRESS", "Where to listen: unix:PATH, or HOST:PORT on loopback; repeatable");
  set.Texts("--module-folder", "module_folders", "DIR", "Where task modules are looked for; repeatable");
  set.Texts("--program-folder", "program_folders", "DIR", "Where worker programs are looked for; repeatable");
  set.Text("--worker-program", "worker_program", "FILE", "The program that loads modules");
  set.Number("-w,--workers", "default_workers", "Workers of a pool that does not say");
  set.Texts("-m,--module", "pools.default.modules", "NAME", "A module of the default pool; repeatable");
  set.Text("--containment", "containment", "MEANS", "auto, cgroup, pid_namespace or subreaper");
  set.Number("--drain-limit", "drain_limit_seconds", "Seconds that SIGTERM lets tasks end");
  set.Number("--max-connections", "max_connections",
             "Client connections at one time, and as many sessions of this host");
  set.Number("--max-connections-per-peer", "max_connections_per_peer", "Of these, of one process, or one TCP address");
  set.Number("--memory-budget", "memory_budget_bytes",
             "Bytes of memory for what clients send; 0: half of what there is");
  set.Number("--spin-us", "spin_us", "Microseconds to look again before sleeping, for short trips");
  set.Number("--shards", "shards", "Among how many parts of the daemon pools are divided, on many CPUs");
  set.Text("--log-level", "log_level", "LEVEL", "debug, info, warning or error");
  set.Set();
}

}  // namespace

absl::Status ParseFlags(int argc, const char* const* argv, Flags* flags) {
  CLI::App app{kAbout, "poold"};
  app.footer(kFooter);
  app.set_help_flag("-h,--help", "Print this and exit");
  app.set_version_flag("--version", "poold " POOLD_VERSION " (API poold.v1)", "Print the version and exit");
  DeclareFlags(&app, flags);
  bool check = false;
  bool print = false;
  app.add_flag("--check-config", check, "Check the configuration and exit");
  app.add_flag("--print-config", print, "Print the configuration in effect as TOML and exit")
      ->excludes("--check-config");
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForVersion& version) {
    flags->action = Action::kPrintText;
    flags->text = std::string(version.what()) + "\n";
    return absl::OkStatus();
  } catch (const CLI::CallForHelp&) {
    flags->action = Action::kPrintText;
    flags->text = app.help();
    return absl::OkStatus();
  } catch (const CLI::ParseError& error) {
    return absl::InvalidArgumentError(std::string(error.what()) + "; poold --help tells the flags");
  }
  if (check) flags->action = Action::kCheckConfig;
  if (print) flags->action = Action::kPrintConfig;
  return absl::OkStatus();
}

absl::Status LoadConfig(const Flags& flags, const Surroundings& surroundings, const AddressCheck& check,
                        Config* config) {
  *config = DefaultConfig(surroundings);
  absl::Status status;
  if (!flags.config_file.empty()) status = ReadFile(flags.config_file, check, config);
  for (const Setting& setting : flags.settings) {
    if (status.ok()) status = ReadText(setting.toml, setting.flag, Lines::kNo, check, config);
  }
  return status.ok() ? Finish(surroundings, config) : status;
}

}  // namespace poold::config
