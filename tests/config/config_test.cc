// Options: defaults, file, flags; what a wrong one is told.
#include "config/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "base/names.h"
#include "config/flags.h"
#include "config/toml.h"
#include "wire/spelling.h"

namespace poold::config {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
namespace fs = std::filesystem;

// A poold as it is installed: bin/pool-worker and the shipped modules.
class ConfigTest : public ::testing::Test {
 protected:
  ConfigTest() {
    std::string name = (fs::path(::testing::TempDir()) / "poold-config-XXXXXX").string();
    root_ = mkdtemp(name.data());
    Touch("bin/pool-worker", 0755);
    for (const char* module : {"examples", "mine", "resize"}) {
      Touch(std::string("lib/poold/modules/") + module + ".so", 0644);
    }
    surroundings_ = {(root_ / "bin").string(), "unix:/run/poold/poold.sock", 3};
  }
  ~ConfigTest() override { fs::remove_all(root_); }

  void Touch(const std::string& file, mode_t mode) {
    fs::create_directories((root_ / file).parent_path());
    std::ofstream(root_ / file) << "x";
    chmod((root_ / file).c_str(), mode);
  }

  std::string WriteFile(const std::string& text) {
    const fs::path path = root_ / "poold.toml";
    std::ofstream(path) << text;
    return path.string();
  }

  // What `poold ARGUMENTS` would do.
  absl::Status Load(std::vector<const char*> arguments, Config* config) {
    arguments.insert(arguments.begin(), "poold");
    Flags flags;
    absl::Status status = ParseFlags(static_cast<int>(arguments.size()), arguments.data(), &flags);
    return status.ok() ? LoadConfig(flags, surroundings_, check_, config) : status;
  }

  Config MustLoad(std::vector<const char*> arguments) {
    Config config;
    const absl::Status status = Load(std::move(arguments), &config);
    EXPECT_TRUE(status.ok()) << status.ToString();
    return config;
  }

  std::string ErrorOf(std::vector<const char*> arguments) {
    Config config;
    return std::string(Load(std::move(arguments), &config).message());
  }

  std::string ErrorOfFile(const std::string& text) { return ErrorOf({"--config", WriteFile(text).c_str()}); }

  fs::path root_;
  Surroundings surroundings_;
  AddressCheck check_ = [](std::string_view text) {
    return text == "0.0.0.0:1" ? absl::InvalidArgumentError("0.0.0.0 is not a loopback address") : absl::OkStatus();
  };
};

TEST_F(ConfigTest, WithoutConfigurationThereIsADefaultPoolOfTheExamples) {
  const Config config = MustLoad({});
  ASSERT_EQ(config.pools.size(), 1u);
  EXPECT_EQ(config.pools[0].name, "default");
  EXPECT_EQ(config.pools[0].workers, 3u);
  EXPECT_THAT(config.pools[0].modules, ElementsAre("examples"));
  EXPECT_THAT(config.listen, ElementsAre("unix:/run/poold/poold.sock"));
  EXPECT_EQ(config.worker_program, (root_ / "bin/pool-worker").string());
}

TEST_F(ConfigTest, TheTestingModuleIsInNoPoolThatDoesNotNameIt) {
  Touch("lib/poold/modules/testing.so", 0644);
  EXPECT_THAT(MustLoad({}).pools[0].modules, ElementsAre("examples")) << "its functions write files, exit and crash";
}

TEST_F(ConfigTest, PoolWorkerIsAlsoFoundInLibexec) {
  fs::remove(root_ / "bin/pool-worker");
  Touch("libexec/poold/pool-worker", 0755);
  EXPECT_EQ(MustLoad({}).worker_program, (root_ / "libexec/poold/pool-worker").string());
}

TEST_F(ConfigTest, AMissingWorkerProgramIsToldAtStart) {
  fs::remove(root_ / "bin/pool-worker");
  EXPECT_THAT(ErrorOf({}), HasSubstr("worker_program: pool-worker is neither beside poold nor in ../libexec/poold"));
}

TEST_F(ConfigTest, AFileSetsEveryKindOfValue) {
  const Config config = MustLoad({"--config", WriteFile(R"(
listen = ["unix:/tmp/a.sock", "127.0.0.1:7070"]
log_level = "debug"
containment = "subreaper"
drain_limit_seconds = 1.5

[limits]
max_pools = 7
outcome_ttl_seconds = 60

[pools.images]
workers = 2
modules = ["resize"]
start_method = "spawn"
initializer = "open"
initializer_args = [1, "two", 2.5, true, [3], { four = 4 }]
stop_grace_seconds = 0.25
environment = { LANG = "C", "A.B" = "c d" }
nice = 5
)")
                                                  .c_str()});
  EXPECT_THAT(config.listen, ElementsAre("unix:/tmp/a.sock", "127.0.0.1:7070"));
  EXPECT_EQ(config.log_level, base::Level::kDebug);
  EXPECT_EQ(config.containment, Containment::kSubreaper);
  EXPECT_EQ(config.drain_limit, 1'500 * core::kMillisecond);
  EXPECT_EQ(config.limits.max_pools, 7u);
  EXPECT_EQ(config.limits.outcome_ttl, 60 * core::kSecond);
  ASSERT_EQ(config.pools.size(), 1u);
  const core::PoolSpec& pool = config.pools[0];
  EXPECT_EQ(pool.name, "images");
  EXPECT_EQ(pool.start_method, core::StartMethod::kSpawn);
  using namespace std::string_literals;
  EXPECT_EQ(pool.initializer_args, "\x96\x01\xa3two\xcb\x40\x04\0\0\0\0\0\0\xc3\x91\x03\x81\xa4"s + "four\x04");
  EXPECT_EQ(pool.initializer_encoding, core::Encoding::kMsgpack);
  EXPECT_EQ(pool.stop_grace, 250 * core::kMillisecond);
  EXPECT_EQ(pool.environment.at("A.B"), "c d");
  EXPECT_EQ(pool.nice, 5);
}

TEST_F(ConfigTest, AFileSetsTheLimitsAndPoliciesOfAPool) {
  const Config config = MustLoad({"--config", WriteFile(R"(
allow_exec = true
[limits]
owner_grace_seconds = 2.5
[pools.mine]
workers = 2
start_method = "fresh"
max_worker_rss_bytes = 1_000_000
max_worker_age_seconds = 90
memory_limit_bytes = 2_000_000
resource_limits = { open_files = 64, core_bytes = 0 }
death_policy = "strict"
allow_exec = true
[pools.other]
start_method = "fresh"
spares = 0
)")
                                                  .c_str()});
  EXPECT_TRUE(config.allow_exec);
  EXPECT_EQ(config.limits.owner_grace, 2'500 * core::kMillisecond);
  ASSERT_EQ(config.pools.size(), 2u);
  const core::PoolSpec& pool = config.pools[0];
  EXPECT_EQ(pool.start_method, core::StartMethod::kFresh);
  EXPECT_EQ(pool.max_worker_rss_bytes, 1'000'000u);
  EXPECT_EQ(pool.max_worker_age, 90 * core::kSecond);
  EXPECT_EQ(pool.memory_limit_bytes, 2'000'000u);
  EXPECT_EQ(pool.resource_limits, (std::map<core::ResourceKind, std::uint64_t>{{core::ResourceKind::kOpenFiles, 64},
                                                                               {core::ResourceKind::kCoreBytes, 0}}));
  EXPECT_EQ(pool.death_policy, core::DeathPolicy::kStrict);
  EXPECT_TRUE(pool.allow_exec);
  EXPECT_EQ(pool.spares, 2u) << "as many as workers";
  EXPECT_EQ(config.pools[1].spares, 0u);
  EXPECT_EQ(config.pools[1].max_worker_age, core::kNever);
}

TEST_F(ConfigTest, APoolMayHaveExecOnlyWhereTheDaemonAllowsIt) {
  EXPECT_FALSE(MustLoad({}).allow_exec);
  EXPECT_THAT(ErrorOfFile("[pools.mine]\nallow_exec = true"),
              HasSubstr("pools.mine.allow_exec: set allow_exec = true for the daemon too"));
}

TEST_F(ConfigTest, SparesAreOfFreshPoolsAndBounded) {
  EXPECT_THAT(ErrorOfFile("[pools.mine]\nspares = 1"),
              HasSubstr("pools.mine.spares: only a pool with start_method = \"fresh\" keeps spares"));
  EXPECT_THAT(ErrorOfFile("[limits]\nmax_workers_per_pool = 4\n[pools.mine]\nstart_method = \"fresh\"\nspares = 5"),
              HasSubstr("pools.mine.spares: 5 is above limits.max_workers_per_pool (4)"));
}

TEST_F(ConfigTest, AResourceIsToldLikeAKey) {
  EXPECT_THAT(ErrorOfFile("[pools.a]\nresource_limits = { open_file = 3 }"),
              HasSubstr(":2: pools.a.resource_limits.open_file: unknown key; did you mean 'open_files'?"));
  EXPECT_THAT(
      ErrorOfFile("[pools.a.resource_limits]\ncpu_seconds = 0"),
      HasSubstr(":2: pools.a.resource_limits.cpu_seconds: wanted a whole number, at least 1, got the number 0"));
  EXPECT_THAT(ErrorOfFile("[pools.a]\nresource_limits = 3"), HasSubstr("wanted a table of numbers"));
  EXPECT_THAT(ErrorOfFile("allow_exec = 1"), HasSubstr("allow_exec: wanted true or false, got the number 1"));
  EXPECT_THAT(ErrorOfFile("[pools.a]\nstart_method = \"forked\""),
              HasSubstr("wanted one of \"fork\", \"spawn\", \"fresh\""));
  EXPECT_THAT(ErrorOfFile("[pools.a]\nmax_worker_age_second = 3"), HasSubstr("did you mean 'max_worker_age_seconds'?"));
}

TEST_F(ConfigTest, AnEmptyPoolsTableMeansNoPools) {
  EXPECT_THAT(MustLoad({"--config", WriteFile("[pools]\n").c_str()}).pools, IsEmpty());
}

TEST_F(ConfigTest, ADefaultPoolThatSaysNoModulesGetsTheShippedOnes) {
  const Config config = MustLoad({"--config", WriteFile("[pools.default]\nworkers = 1\n").c_str()});
  EXPECT_THAT(config.pools[0].modules, ElementsAre("examples"));
  EXPECT_EQ(config.pools[0].workers, 1u);
}

TEST_F(ConfigTest, FlagsOverrideTheFile) {
  const std::string file = WriteFile("listen = [\"unix:/tmp/a.sock\"]\nmax_connections = 5\n[limits]\nmax_pools = 3\n");
  const Config config = MustLoad({"--config", file.c_str(), "--listen", "unix:/tmp/b.sock", "--listen", "127.0.0.1:0",
                                  "--max-connections=9", "--workers", "8", "--module", "mine", "--set",
                                  "limits.max_pools = 4", "--drain-limit", "0.5"});
  EXPECT_THAT(config.listen, ElementsAre("unix:/tmp/b.sock", "127.0.0.1:0"));
  EXPECT_EQ(config.max_connections, 9u);
  EXPECT_EQ(config.limits.max_pools, 4u);
  EXPECT_EQ(config.drain_limit, 500 * core::kMillisecond);
  EXPECT_EQ(config.pools[0].workers, 8u);
  EXPECT_THAT(config.pools[0].modules, ElementsAre("mine"));
}

TEST_F(ConfigTest, AnUnknownKeyIsToldWithItsLineAndTheNearestOne) {
  EXPECT_EQ(ErrorOfFile("log_level = \"info\"\n[limits]\nmax_polls = 3\n"),
            (root_ / "poold.toml").string() + ":3: limits.max_polls: unknown key; did you mean 'max_pools'?");
  EXPECT_THAT(ErrorOfFile("\nlimit = 3"), HasSubstr("poold.toml:2: limit: unknown key; did you mean 'limits'?"));
  EXPECT_THAT(ErrorOfFile("[pools.a]\nworker = 3"),
              HasSubstr(":2: pools.a.worker: unknown key; did you mean 'workers'?"));
  EXPECT_THAT(ErrorOfFile("colour_of_the_walls = 3"), ::testing::EndsWith(":1: colour_of_the_walls: unknown key"));
}

TEST_F(ConfigTest, AWrongTypeIsToldWithItsLineAndWhatIsWanted) {
  EXPECT_THAT(ErrorOfFile("[limits]\nmax_pools = \"many\""),
              HasSubstr("poold.toml:2: limits.max_pools: wanted a whole number from 1 to 65536, got a string"));
  EXPECT_THAT(ErrorOfFile("listen = \"unix:/a\""), HasSubstr(":1: listen: wanted an array of strings, got a string"));
  EXPECT_THAT(ErrorOfFile("pools = 3"), HasSubstr("wanted a table for each pool, as [pools.NAME], got the number 3"));
}

TEST_F(ConfigTest, AValueOutOfRangeIsToldWithTheRange) {
  EXPECT_THAT(ErrorOfFile("[pools.default]\nworkers = 0"),
              HasSubstr(":2: pools.default.workers: wanted a whole number from 1 to 65536, got the number 0"));
  EXPECT_THAT(ErrorOfFile("drain_limit_seconds = -1"), HasSubstr("wanted a number of seconds from 0 to"));
  EXPECT_THAT(ErrorOfFile("containment = \"jail\""),
              HasSubstr("wanted one of \"auto\", \"cgroup\", \"pid_namespace\", \"subreaper\""));
}

TEST_F(ConfigTest, ABadAddressIsToldWithItsLine) {
  EXPECT_THAT(ErrorOfFile("\nlisten = [\n  \"unix:/a\",\n  \"0.0.0.0:1\",\n]"),
              HasSubstr("poold.toml:4: listen: 0.0.0.0 is not a loopback address"));
  EXPECT_EQ(ErrorOf({"--listen", "0.0.0.0:1"}), "--listen: listen: 0.0.0.0 is not a loopback address");
}

TEST_F(ConfigTest, WhatIsNoTomlIsToldWithItsLine) {
  EXPECT_THAT(ErrorOfFile("a = 1\nb = \n"), HasSubstr("poold.toml:2: "));
}

TEST_F(ConfigTest, AMissingFileIsNamed) {
  EXPECT_THAT(ErrorOf({"--config", "/nowhere/poold.toml"}),
              HasSubstr("/nowhere/poold.toml: cannot be read: No such file"));
}

TEST_F(ConfigTest, MoreWorkersThanAllowedAreRefused) {
  EXPECT_THAT(ErrorOfFile("[limits]\nmax_workers_per_pool = 4\n[pools.big]\nworkers = 5"),
              HasSubstr("pools.big.workers: 5 is above limits.max_workers_per_pool (4)"));
}

TEST_F(ConfigTest, AModuleOfAPoolThatIsNotThereIsTold) {
  EXPECT_THAT(ErrorOf({"--module", "resise"}), HasSubstr("pools.default: module 'resise' (resise.so) is not in"));
}

TEST_F(ConfigTest, APoolNameThatClientsCouldNotSayIsRefused) {
  EXPECT_THAT(ErrorOfFile("[pools.\"a b\"]\n"), HasSubstr("pools.a b: a pool's name is 1 to 64 letters"));
}

TEST_F(ConfigTest, AnUnknownFlagIsAUsageError) { EXPECT_THAT(ErrorOf({"--lisen", "x"}), HasSubstr("--lisen")); }

TEST_F(ConfigTest, HelpAndVersionAreTexts) {
  const char* help[] = {"poold", "--help"};
  Flags flags;
  ASSERT_TRUE(ParseFlags(2, help, &flags).ok());
  EXPECT_EQ(flags.action, Action::kPrintText);
  EXPECT_THAT(flags.text, HasSubstr("78   the configuration is wrong"));
  const char* version[] = {"poold", "--version"};
  ASSERT_TRUE(ParseFlags(2, version, &flags).ok());
  EXPECT_THAT(flags.text, HasSubstr("poold.v1"));
}

TEST_F(ConfigTest, WhatIsPrintedReadsBackAsTheSame) {
  const Config first = MustLoad({"--config", WriteFile(R"(
drain_limit_seconds = 0.1
[pools.default]
[pools."a.b"]
initializer = "open \"it\""
initializer_args = [-1, 1e300, 3.0, "\u0001ü", { "x y" = [] }]
environment = { "A B" = "\\" }
start_method = "fresh"
spares = 0
max_worker_age_seconds = 1.5
resource_limits = { core_bytes = 0, stack_bytes = 8_388_608 }
death_policy = "strict"
)")
                                                 .c_str()});
  const std::string printed = Print(first);
  const Config second = MustLoad({"--config", WriteFile(printed).c_str()});
  EXPECT_EQ(Print(second), printed);
  EXPECT_EQ(second.pools, first.pools);
  EXPECT_EQ(second.listen, first.listen);
}

TEST_F(ConfigTest, ASpoolNeedsAFolderInWhichFilesCanBeMade) {
  const Config config = MustLoad(
      {"--config",
       WriteFile("[spool]\nfolder = \"" + root_.string() + "\"\nmax_bytes = 5000\nthreshold_bytes = 7\n").c_str()});
  EXPECT_EQ(config.spool.folder, root_.string());
  EXPECT_EQ(config.spool.max_bytes, 5000u);
  EXPECT_EQ(config.spool.threshold_bytes, 7u);
  EXPECT_THAT(ErrorOfFile("[spool]\nfolder = \"here\""), HasSubstr("spool.folder: 'here' is not an absolute path"));
  EXPECT_THAT(ErrorOfFile("[spool]\nfolder = \"/no/where\""),
              HasSubstr("spool.folder: no file can be made in '/no/where'"));
}

TEST(Nearest, IsTheOneWithTheFewestTypingErrors) {
  EXPECT_EQ(wire::Nearest("exmaples", {"testing", "examples", "sample"}), "examples");
  EXPECT_EQ(wire::Nearest("zzz", {"testing", "examples"}), "");
  EXPECT_EQ(wire::Nearest("x", {}), "");
  EXPECT_EQ(wire::Nearest("x", {"ab"}), "");
}

TEST_F(ConfigTest, BoundsFitIntoTheMemoryThatThereIs) {
  Config config = MustLoad({"--memory-budget", "629145600"});
  EXPECT_EQ(config.memory_budget_bytes, 600u << 20);
  const base::MemoryBudget memory(config.memory_budget_bytes);
  FitToMemory(memory, &config);
  EXPECT_LE(config.limits.max_kept_outcome_bytes + config.limits.max_task_bytes + config.spool.max_memory_bytes,
            memory.bytes() / 2);
  EXPECT_GT(config.limits.max_kept_outcome_bytes, 100u << 20);

  Config small = MustLoad({"--set", "limits.max_kept_outcome_bytes = 1000"});
  FitToMemory(memory, &small);
  EXPECT_EQ(small.limits.max_kept_outcome_bytes, 1000u) << "what is below its part stays";
}

TEST_F(ConfigTest, ABudgetInWhichNothingFitsIsRefused) {
  Config config;
  const absl::Status status = Load({"--memory-budget", "1000"}, &config);
  EXPECT_THAT(std::string(status.message()), HasSubstr("memory_budget_bytes: 1000 is below"));
}

}  // namespace
}  // namespace poold::config
