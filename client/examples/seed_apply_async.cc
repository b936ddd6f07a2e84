// The seed's first program: tasks are submitted and run side by side while this program goes on.
//
//   pool = multiprocessing.Pool(processes=3)
//   for i in range(4):
//       pool.apply_async(func, ("hello %d" % i,))
//   pool.close()
//   pool.join()
#include "example.h"

int main() {
  auto pool = example::OpenPool("seed_apply_async");
  for (int i = 0; i < 4; ++i) {
    pool.Submit<void>("func", "hello " + std::to_string(i));
  }
  example::Check(pool.Close().status());
  example::Check(pool.Join());
  std::printf("Sub-process(es) done.\n");
}
