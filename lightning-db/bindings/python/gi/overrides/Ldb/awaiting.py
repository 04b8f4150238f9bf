# SPDX-License-Identifier: MIT
"""`await` for every asynchronous call, under asyncio and under GLib's main loop.

An introspected `thing_async` that is called without a callback begins at once and returns something
to await. Under asyncio that is a Future of the running loop; else it is an Outcome, which spawn()
drives on GLib's main loop. Either way the call has ended when the await has: cancelling asks the
operation to stop, and what was committed all the same stays committed.

asyncio is imported by who uses it: a program on GLib's main loop does without.
"""

import sys
import threading

from gi.repository import Gio, GLib

from . import calling


def _running_loop():
    """asyncio's loop that runs in this thread, or None."""
    events = sys.modules.get("asyncio.events")
    return events._get_running_loop() if events is not None else None


def _cancelled_error():
    from asyncio import CancelledError
    return CancelledError()


class Outcome:
    """What an asynchronous call or a spawned coroutine comes to, under GLib's main loop."""

    def __init__(self, cancellable=None):
        self._cancellable = cancellable
        self._cancelled = False  # cancel() was called
        self._callbacks = []
        self._done = False
        self._value = None
        self._error = None
        self._asked = False  # somebody saw the error

    def done(self):
        return self._done

    def cancelled(self):
        return type(self._error).__name__ == "CancelledError"

    def cancel(self):
        """Asks it to stop; it ends a little later. False if it has ended."""
        if self._done:
            return False
        self._cancelled = True
        self._cancellable.cancel()
        return True

    def result(self):
        error = self.exception()
        if error is not None:
            raise error
        return self._value

    def exception(self):
        if not self._done:
            from asyncio import InvalidStateError
            raise InvalidStateError("it has not ended yet")
        self._asked = True
        return self._error

    def add_done_callback(self, function):
        """Calls `function (outcome)` when it has ended: at once, if it has."""
        if self._done:
            function(self)
        else:
            self._callbacks.append(function)

    def __await__(self):
        if not self._done:
            yield self
        return self.result()

    def _end(self, value=None, error=None):
        self._value, self._error, self._done = value, error, True
        callbacks, self._callbacks = self._callbacks, []
        for function in callbacks:
            function(self)

    def __del__(self):
        if self._error is not None and not self._asked and not self.cancelled():
            print("Lightning DB: nobody waited for this error:", file=sys.stderr)
            sys.excepthook(type(self._error), self._error, self._error.__traceback__)


def _was_cancelled(error):
    return error.matches(Gio.io_error_quark(), Gio.IOErrorEnum.CANCELLED)


def begin(start, finish, cancellable=None):
    """Begins a call: `start (cancellable, callback)`. What to await."""
    loop = _running_loop()
    cancellable = cancellable or Gio.Cancellable()
    turning = None
    if loop is None:
        operation = Outcome(cancellable)
    else:
        from . import under_asyncio
        operation = under_asyncio.Operation(loop, cancellable)
        turning = under_asyncio.ensure_pump(loop)
    thread = threading.get_ident()

    def end(value=None, error=None):
        if loop is None or threading.get_ident() == thread:
            operation._end(value, error)
        elif not loop.is_closed():
            loop.call_soon_threadsafe(operation._end, value, error)

    def callback(source, result, *data):
        try:
            value = finish(source, result)
        except GLib.Error as error:
            if operation._cancelled and _was_cancelled(error):
                end(error=_cancelled_error())
            else:
                end(error=error)
        else:
            end(value)

    start(cancellable, callback)
    if turning is not None:
        turning.turn_soon()
    return operation


def make_awaitable(info, finish_info, convert=None):
    """A function that is called with a callback as the introspected one, or without, to be awaited."""
    expected = calling.parameters(info)
    name = info.__name__
    skip = 1 if info.is_method() else 0
    at = skip + len(expected) - 1  # of the callback
    names = [parameter.name for parameter in expected]
    cancellable_at = skip + names.index("cancellable")

    def finish(source, result):
        value = finish_info(source, result) if skip else finish_info(result)
        return convert(value, source) if convert else value

    def call(*args, **kwargs):
        if len(args) > at or kwargs.get("callback") is not None:
            data = args[at + 1:]
            return info(*calling.arrange(name, expected, args[:at + 1], kwargs, skip), *data)
        arranged = calling.arrange(name, expected, args, kwargs, skip)

        def start(cancellable, callback):
            arranged[cancellable_at] = cancellable
            arranged[at] = callback
            info(*arranged)

        return begin(start, finish, arranged[cancellable_at])

    return calling.describe(call, info)


class Spawned(Outcome):
    """A coroutine that runs on GLib's main loop."""

    def __init__(self, coroutine):
        super().__init__()
        self._coroutine = coroutine
        self._waits_for = None
        self._step(None)

    def cancel(self):
        if self._done:
            return False
        self._cancelled = True
        if self._waits_for is not None:
            self._waits_for.cancel()
        return True

    def _step(self, awaited):
        self._waits_for = None
        try:
            if awaited is not None and self._cancelled:
                self._cancelled = False
                wanted = self._coroutine.throw(_cancelled_error())
            else:
                wanted = self._coroutine.send(None)
            while not isinstance(wanted, Outcome):
                wanted = self._coroutine.throw(TypeError(
                    "under GLib's main loop, what Lightning DB returns can be awaited, and nothing "
                    "else; use asyncio for that"))
        except StopIteration as stop:
            self._end(stop.value)
        except BaseException as error:  # whatever it is, it belongs to who awaits this
            # Without this frame, which holds self: an error that nobody has is to be told at once.
            self._end(error=error.with_traceback(error.__traceback__.tb_next))
        else:
            self._waits_for = wanted
            wanted.add_done_callback(self._step)


def spawn(coroutine):
    """Runs a coroutine on the GLib main loop of this thread. What it comes to can be awaited in
    another one; an error that nobody waits for is printed."""
    return Spawned(coroutine)


class Arrival(Outcome):
    """Something that comes when it comes; `arrive()` says that it has."""

    def arrive(self, *data):
        if not self._done:
            self._end()

    def cancel(self):
        if self._done:
            return False
        self._end(error=_cancelled_error())
        return True


def expect():
    """(what to await, what to call when it has come), under either loop."""
    loop = _running_loop()
    if loop is None:
        arrival = Arrival()
        return arrival, arrival.arrive
    future = loop.create_future()

    def arrive(*data):
        if not future.done():
            future.set_result(None)

    return future, arrive


def listening(function):
    """A function whose result has signals: under asyncio they arrive, too."""
    def call(*args, **kwargs):
        loop = _running_loop()
        if loop is None:
            return function(*args, **kwargs)
        from . import under_asyncio
        turning = under_asyncio.ensure_pump(loop)
        result = function(*args, **kwargs)
        if turning is not None:
            turning.turn_soon()
        return result

    call.__name__, call.__doc__ = function.__name__, function.__doc__
    return call


class Pause(Outcome):
    """A time that passes on GLib's main loop."""

    def __init__(self, seconds):
        super().__init__()
        self._source = GLib.timeout_source_new(max(1, round(seconds * 1000)))
        self._source.set_callback(self._over)
        self._source.attach(GLib.MainContext.get_thread_default())

    def _over(self, *data):
        self._end()
        return GLib.SOURCE_REMOVE

    def cancel(self):
        if self._done:
            return False
        self._source.destroy()
        self._end(error=_cancelled_error())
        return True


def sleep(seconds):
    """A pause, under either loop."""
    if _running_loop() is None:
        return Pause(seconds)
    from asyncio import sleep as sleep_there
    return sleep_there(seconds)
