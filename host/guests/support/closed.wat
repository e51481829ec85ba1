;; Stands in for the system that the runtimes of C and Go are made for: there is none.
;;
;; No files, and nothing that could differ from run to run: the
;; monotonic clock, which Go's runtime needs, stands still, and random numbers are
;; always the same. The time of day, sleeping and exiting are traps.
;;
;; What is written to stderr is logged, a line each, from a buffer that the rule lends:
;; so an error tells what a fatal error, a panic or an assertion said.
(module
  (import "env" "memory" (memory 0))
  (import "idr:rules/log@{version}" "warn" (func $warn (param i32 i32)))

  ;; Where a line is kept, how many bytes of it there may be, and how many there are.
  (global $line (mut i32) (i32.const 0))
  (global $capacity (mut i32) (i32.const 0))
  (global $length (mut i32) (i32.const 0))
  (func (export "adapter_keep_stderr") (param i32 i32)
    (global.set $line (local.get 0))
    (global.set $capacity (local.get 1)))

  ;; errno 0 is success, 8 is a bad file descriptor.
  (func (export "sched_yield") (result i32) i32.const 0)
  (func (export "proc_exit") (param i32) unreachable)

  ;; No time passes. Go's runtime sleeps up to seven times before it says why it
  ;; panics; whoever sleeps more often waits for what never comes.
  (global $sleeps (mut i32) (i32.const 0))
  (func (export "poll_oneoff") (param i32 i32 i32) (param $events i32) (result i32)
    (global.set $sleeps (i32.add (global.get $sleeps) (i32.const 1)))
    (if (i32.gt_u (global.get $sleeps) (i32.const 16)) (then unreachable))
    (i32.store (local.get $events) (i32.const 0))
    i32.const 0)

  (func (export "adapter_monotonic_clock_set_paused") (param i32))

  (func (export "args_get") (param i32 i32) (result i32) i32.const 0)
  (func (export "args_sizes_get") (param i32 i32) (result i32)
    (i32.store (local.get 0) (i32.const 0))
    (i32.store (local.get 1) (i32.const 0))
    i32.const 0)
  ;; The environment is `GOTRACEBACK=none`: the host shows the functions that a crash
  ;; came through, and Go would write over what it said of the cause.
  (func (export "environ_get") (param $places i32) (param $texts i32) (result i32)
    (i32.store (local.get $places) (local.get $texts))
    (i64.store align=1 (local.get $texts) (i64.const 0x4245434152544f47))
    (i64.store offset=8 align=1 (local.get $texts) (i64.const 0x656e6f6e3d4b4341))
    (i32.store8 offset=16 (local.get $texts) (i32.const 0))
    i32.const 0)
  (func (export "environ_sizes_get") (param i32 i32) (result i32)
    (i32.store (local.get 0) (i32.const 1))
    (i32.store (local.get 1) (i32.const 17))
    i32.const 0)

  ;; Clock 0 is the time of day, clock 1 the monotonic one.
  (func (export "clock_time_get") (param $clock i32) (param i64) (param $time i32) (result i32)
    (if (i32.eqz (local.get $clock)) (then unreachable))
    (i64.store (local.get $time) (i64.const 1000000000))
    i32.const 0)
  (func (export "clock_res_get") (param i32) (param $resolution i32) (result i32)
    (i64.store (local.get $resolution) (i64.const 1))
    i32.const 0)

  (func (export "random_get") (param $at i32) (param $left i32) (result i32)
    (block $done
      (loop $next
        (br_if $done (i32.eqz (local.get $left)))
        (i32.store8 (local.get $at) (i32.mul (local.get $left) (i32.const 167)))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (local.set $left (i32.sub (local.get $left) (i32.const 1)))
        (br $next)))
    i32.const 0)

  ;; Logs what is written to stderr, swallows the rest, and says that all of it was
  ;; written.
  (func (export "fd_write") (param $file i32) (param $piece i32) (param $left i32)
    (param $written i32) (result i32)
    (local $sum i32)
    (block $done
      (loop $next
        (br_if $done (i32.eqz (local.get $left)))
        (if (i32.eq (local.get $file) (i32.const 2))
          (then (call $keep (i32.load (local.get $piece)) (i32.load offset=4 (local.get $piece)))))
        (local.set $sum (i32.add (local.get $sum) (i32.load offset=4 (local.get $piece))))
        (local.set $piece (i32.add (local.get $piece) (i32.const 8)))
        (local.set $left (i32.sub (local.get $left) (i32.const 1)))
        (br $next)))
    (i32.store (local.get $written) (local.get $sum))
    i32.const 0)
  (func $keep (param $at i32) (param $left i32)
    (block $done
      (loop $next
        (br_if $done (i32.eqz (local.get $left)))
        (call $keep_byte (i32.load8_u (local.get $at)))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (local.set $left (i32.sub (local.get $left) (i32.const 1)))
        (br $next))))
  (func $keep_byte (param $byte i32)
    (if (i32.eq (local.get $byte) (i32.const 0x0a))
      (then
        (if (global.get $length)
          (then (call $warn (global.get $line) (global.get $length))))
        (global.set $length (i32.const 0))
        return))
    (if (i32.lt_u (global.get $length) (global.get $capacity))
      (then
        (i32.store8 (i32.add (global.get $line) (global.get $length)) (local.get $byte))
        (global.set $length (i32.add (global.get $length) (i32.const 1))))))
  (func (export "fd_close") (param i32) (result i32) i32.const 8)
  (func (export "fd_fdstat_get") (param i32 i32) (result i32) i32.const 8)
  (func (export "fd_fdstat_set_flags") (param i32 i32) (result i32) i32.const 8)
  (func (export "fd_prestat_get") (param i32 i32) (result i32) i32.const 8)
  (func (export "fd_prestat_dir_name") (param i32 i32 i32) (result i32) i32.const 8)
  (func (export "fd_read") (param i32 i32 i32 i32) (result i32) i32.const 8)
  (func (export "fd_seek") (param i32 i64 i32 i32) (result i32) i32.const 8))
