# SPDX-License-Identifier: MIT
"""asyncio turns GLib's main context, so that results and signals arrive in a plain asyncio program.

The library delivers in the thread-default main context of the thread that called it. Where asyncio
runs the thread, nobody iterates that context. A Pump asks it what it waits for (file descriptors, a
timeout) and has asyncio's loop wait for these. Nothing runs while nothing happens, no thread is made,
and every handler runs in asyncio's thread.

The context stays acquired by the thread until the loop is closed, as GLib wakes a context up for what
other threads attach to it only when it has an owner. What this thread attaches wakes nothing: that is why calls that do so
end with turn_soon(). (Timers of one's own belong to asyncio in such a program, not to GLib.)

PyGObject cannot call g_main_context_query(), which fills an array of the caller's; ctypes can.
"""

import asyncio
import ctypes
import threading
import weakref

_IN, _PRI, _OUT = 1, 2, 4  # GIOCondition
_AT_ONCE = 64  # dispatches before asyncio gets its turn
_OWNERLESS_POLLING = 1  # GMainContextFlags: another loop does the polling


class Operation(asyncio.Future):
    """What an asynchronous call comes to, under asyncio."""

    def __init__(self, loop, cancellable):
        super().__init__(loop=loop)
        self._cancellable = cancellable
        self._cancelled = False  # cancel() was called
        self._message = None

    def cancel(self, msg=None):
        """Asks the operation to stop. False, as it has not stopped yet: a task that is cancelled
        while it awaits goes on with CancelledError once the operation has ended, so that nothing of
        it is under way any more."""
        if not self.done():
            self._cancelled = True
            self._message = msg
            self._cancellable.cancel()
        return False

    def _end(self, value=None, error=None):
        if self.done() or self._loop.is_closed():
            return
        if isinstance(error, asyncio.CancelledError):
            super().cancel(self._message)
        elif error is not None:
            self.set_exception(error)
        else:
            self.set_result(value)


class _PollFD(ctypes.Structure):
    _fields_ = [("fd", ctypes.c_int), ("events", ctypes.c_ushort), ("revents", ctypes.c_ushort)]


def _load():
    glib = ctypes.CDLL("libglib-2.0.so.0")
    pointer, integer = ctypes.c_void_p, ctypes.c_int
    out = ctypes.POINTER(ctypes.c_int)
    for name, result, arguments in (
            ("default", pointer, []),
            ("get_thread_default", pointer, []),
            ("new_with_flags", pointer, [integer]),
            ("push_thread_default", None, [pointer]),
            ("ref", pointer, [pointer]),
            ("unref", None, [pointer]),
            ("acquire", integer, [pointer]),
            ("release", None, [pointer]),
            ("iteration", integer, [pointer, integer]),
            ("prepare", integer, [pointer, out]),
            ("query", integer, [pointer, integer, out, ctypes.POINTER(_PollFD), integer])):
        function = getattr(glib, f"g_main_context_{name}")
        function.restype, function.argtypes = result, arguments
    glib.g_main_depth.restype = ctypes.c_int
    return glib


_glib = _load()
_of_loops = weakref.WeakKeyDictionary()  # loop → its Pump


def _give_back(context, owner):
    """Lets go of a context; `owner`: the thread that acquired it for a pump, or None."""
    if owner == threading.get_ident():
        _glib.g_main_context_release(context)
    _glib.g_main_context_unref(context)


class Pump:
    """Iterates a main context for an asyncio loop."""

    def __init__(self, loop, context, owner):
        self._loop = weakref.ref(loop)
        self._context = context
        self._watched = {}  # descriptor → events
        self._timer = None
        self._turning = False
        self._soon = False
        self._polled = (_PollFD * 16)()
        self._finalizer = weakref.finalize(self, _give_back, context, owner)

    def end(self):
        """The loop is closed: nothing is turned any more, and others may have the context."""
        self._timer = None  # which knows the loop
        self._watched = {}
        self._finalizer()

    def turn_soon(self):
        """Something was begun here: dispatches, when the loop gets there, what is ready by then."""
        loop = self._loop()
        if not self._soon and loop is not None and not loop.is_closed():
            self._soon = True
            loop.call_soon(self._turn)

    def arm(self):
        """Has the loop wait for what the context waits for now."""
        loop = self._loop()
        if loop is None or loop.is_closed() or self._turning:
            return
        ready, timeout, wanted = self._query()
        self._watch(loop, wanted)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if ready or timeout == 0:
            self._timer = loop.call_soon(self._turn)
        elif timeout > 0:
            self._timer = loop.call_later(timeout / 1000, self._turn)

    def _query(self):
        """(whether a source is ready, milliseconds until one is or -1, descriptor → events)"""
        priority, timeout = ctypes.c_int(), ctypes.c_int()
        ready = _glib.g_main_context_prepare(self._context, ctypes.byref(priority))
        while True:
            room = len(self._polled)
            count = _glib.g_main_context_query(self._context, 2**31 - 1, ctypes.byref(timeout),
                                               self._polled, room)
            if count <= room:
                break
            self._polled = (_PollFD * count)()
        wanted = {}
        for polled in self._polled[:count]:
            wanted[polled.fd] = wanted.get(polled.fd, 0) | polled.events
        return ready, timeout.value, wanted

    def _watch(self, loop, wanted):
        for fd, events in self._watched.items():
            now = wanted.get(fd, 0)
            if events & (_IN | _PRI) and not now & (_IN | _PRI):
                loop.remove_reader(fd)
            if events & _OUT and not now & _OUT:
                loop.remove_writer(fd)
        for fd, events in wanted.items():
            before = self._watched.get(fd, 0)
            if events & (_IN | _PRI) and not before & (_IN | _PRI):
                loop.add_reader(fd, self._turn)
            if events & _OUT and not before & _OUT:
                loop.add_writer(fd, self._turn)
        self._watched = wanted

    def _turn(self):
        """Dispatches what is ready. A handler may run a loop of its own."""
        self._soon = False
        if self._turning:
            return
        self._turning = True
        try:
            for _ in range(_AT_ONCE):
                if not _glib.g_main_context_iteration(self._context, 0):
                    break
        finally:
            self._turning = False
        self.arm()


def _context_for_this_thread():
    """(the thread's default main context, acquired and referenced; the thread, if it is to be released)"""
    current = _glib.g_main_context_get_thread_default()
    if current is not None or threading.current_thread() is threading.main_thread():
        context = current or _glib.g_main_context_default()
        if _glib.g_main_context_acquire(context):
            return _glib.g_main_context_ref(context), threading.get_ident()
    # What is the main thread's, or another's just now, is not turned here: this thread gets its own.
    context = _glib.g_main_context_new_with_flags(_OWNERLESS_POLLING)
    _glib.g_main_context_push_thread_default(context)
    return context, None  # it is the thread's until that ends


def _may_run_on_glib(loop):
    """Whether GLib's main loop may be what runs the loop: it runs this handler, and the loop is of a kind
    that is made for that (as gi.events). asyncio's own never do: called in a handler, as in
    asyncio.run(), one keeps GLib's loop from turning until it has ended."""
    return _glib.g_main_depth() > 0 and type(loop).__module__.partition(".")[0] not in ("asyncio", "uvloop")


def _end_with(loop, pump):
    """Has the pump end when the loop is closed. One that takes no attributes ends when it is collected."""
    close = loop.close

    def close_both():
        close()
        pump.end()

    try:
        loop.close = close_both
    except AttributeError:
        pass


def ensure_pump(loop):
    """The pump of the loop that runs in this thread; None when that loop runs on GLib's."""
    pump = _of_loops.get(loop)
    if pump is None and not _may_run_on_glib(loop):
        pump = _of_loops[loop] = Pump(loop, *_context_for_this_thread())
        _end_with(loop, pump)
    return pump
