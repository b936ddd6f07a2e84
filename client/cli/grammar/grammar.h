// Grammar: every command of poolctl with its options.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <variant>
#include <vector>

#include "cli/grammar/options.h"

namespace poold::cli {

// Role: declares the options to CLI11 and holds the values that they are parsed into. One parse for each object.
// Threads: none of its own; the main thread.
class Grammar {
 public:
  Grammar();
  Grammar(const Grammar&) = delete;
  Grammar& operator=(const Grammar&) = delete;

  // As ParseCommandLine. REQUIRES: called once.
  std::variant<CommandLine, ExitStatus> Parse(int argc, const char* const* argv);

  // The declarations, for completion.
  const CLI::App& app() const { return app_; }
  // The names of all commands.
  std::vector<std::string> Commands() const;
  // Null: there is no such command.
  const CLI::App* Find(const std::string& command) const;

 private:
  // Declares a command, whose options are parsed into `options`.
  template <typename Options>
  CLI::App* Add(const std::string& name, const std::string& about, Options& options) {
    CLI::App* app = app_.add_subcommand(name, about);
    app->footer(kElsewhere);
    app->final_callback([this, &options] { line_.command = options; });
    return app;
  }
  void AddGlobals();
  void AddSubmit();  // work.cc
  void AddMap();
  void AddHandles();  // handles.cc
  void AddHistory();
  void AddLooks();  // pools.cc
  void AddOpen();
  void AddLimits(CLI::App* app);
  void AddChanges();
  void Complain(const CLI::ParseError& error) const;

  // The last line of each command's help.
  static const char kElsewhere[];

  CLI::App app_;
  CommandLine line_;
  SubmitOptions submit_;
  MapOptions map_;
  GetOptions get_;
  WaitOptions wait_;
  WatchOptions watch_;
  TasksOptions tasks_;
  ExplainOptions explain_;
  ReplayOptions replay_;
  CancelOptions cancel_;
  ReleaseOptions release_;
  PoolsOptions pools_;
  InfoOptions info_;
  WorkersOptions workers_;
  StatsOptions stats_;
  TopOptions top_;
  FunctionsOptions functions_;
  OpenOptions open_;
  ResizeOptions resize_;
  ReloadOptions reload_;
  CloseOptions close_;
  TerminateOptions terminate_;
  JoinOptions join_;
};

}  // namespace poold::cli
