#!/usr/bin/env python3
"""The include law passes what the table of folders allows and names what it does not."""

import unittest

from tree_fixture import ROOT, TreeTest
import include_law

ALLOWED = {
    "protocol/text_parser.cc": ["<string_view>", "<fmt/format.h>", '"protocol/request.h"'],
    "slab/page_arena.cc": ["<sys/mman.h>", "<mutex>", "<xxhash.h>", '"slab/page_pool.h"'],
    "slab/hash_index.cc": ["<immintrin.h>", "<atomic>"],
    "server/net/worker.cc": ["<event2/event.h>", "<thread>", "<sys/socket.h>",
                             '"server/net/connection.h"', '"server/os/unique_fd.h"',
                             '"protocol/reply_sink.h"', '"protocol/text_parser.h"'],
    "server/net/tls_transport.cc": ["<openssl/ssl.h>"],
    "server/commands/storage.cc": ["<cstdint>", '"slab/cache.h"', '"slab/cache_stats.h"',
                                   '"protocol/outcome.h"', '"server/net/stream_handler.h"'],
    "server/observe/admin_http.cc": ["<event2/http.h>", '"slab/cache_stats.h"'],
    "server/os/pid_file.cc": ["<unistd.h>", "<thread>"],
    "server/settings.cc": ["<getopt.h>", '"server/settings.def"', '"slab/cache_config.h"'],
    "server/server.cc": ["<event2/event.h>", '"slab/cache.h"', '"server/commands/dispatch.h"',
                         '"protocol/request.h"'],
}

FORBIDDEN = {
    "protocol/text_parser.cc": ["<thread>", "<unistd.h>", "<event2/event.h>", '"slab/cache.h"',
                                '"server/settings.h"', "<openssl/ssl.h>", "<xxhash.h>"],
    "slab/cache.cc": ["<event2/event.h>", '"protocol/request.h"', '"server/settings.h"',
                      '"page_pool.h"', '"../slab/page_pool.h"'],
    "server/net/worker.cc": ['"slab/cache.h"', '"server/commands/dispatch.h"', "<openssl/ssl.h>",
                             '"protocol/text_encoder.h"', '"protocol/outcome.h"',
                             '"server/server.h"'],
    "server/commands/storage.cc": ["<unistd.h>", "<thread>", "<mutex>", "<event2/event.h>",
                                   '"slab/hash_index.h"', '"slab/item.h"',
                                   '"server/net/connection.h"', '"server/server.h"'],
    "server/os/pid_file.cc": ["<event2/event.h>", '"slab/cache.h"', '"protocol/request.h"'],
    "server/auth/sasl.cc": ["<event2/event.h>", '"server/commands/session.h"'],
    "server/settings.cc": ["<event2/event.h>", '"slab/cache.h"', '"protocol/request.h"'],
    "server/commands/tables.def": ['"slab/item.h"'],
}


class IncludeLawTest(TreeTest):

    def test_allows_what_each_folder_may_include(self):
        for path, names in ALLOWED.items():
            self.write(path, "".join(f"#include {name}\n" for name in names))
        self.assertEqual(include_law.check_tree(self.tree), [])

    def test_refuses_every_include_across_the_law(self):
        for path, names in FORBIDDEN.items():
            for name in names:
                with self.subTest(path=path, name=name):
                    self.write(path, f"// A comment.\n#include <vector>\n#include {name}\n")
                    problems = include_law.check_tree(self.tree)
                    self.assertEqual(len(problems), 1, problems)
                    self.assertTrue(problems[0].startswith(f"{path}:3: "), problems[0])
            (self.tree / path).unlink()

    def test_sees_an_include_behind_odd_spacing(self):
        self.write("protocol/a.h", '  #  include   "slab/cache.h"\n')
        self.assertEqual(len(include_law.check_tree(self.tree)), 1)

    def test_leaves_tests_and_words_in_comments_alone(self):
        self.write("tests/protocol/a_test.cc", '#include "slab/cache.h"\n#include <thread>\n')
        self.write("protocol/a.h", '// #include "slab/cache.h"\n')
        self.assertEqual(include_law.check_tree(self.tree), [])

    def test_the_project_itself_keeps_the_law(self):
        self.assertEqual(include_law.check_tree(ROOT), [])


if __name__ == "__main__":
    unittest.main()
