# SPDX-License-Identifier: MIT
"""The windows of other processes on an X server: pictures of them, and keys for them.

A Screen is what a compositor is to the X server: windows are drawn into memory of their own, with
shadows and round corners, and none hides another. There is no window manager: who has the keyboard
is said here.
"""

import ctypes
import ctypes.util
import itertools
import time

import gi

gi.require_version("GdkPixbuf", "2.0")
from gi.repository import GdkPixbuf, GLib  # noqa: E402

OVERLAP = 80  # pixels of shadow that neighbours share
ALL_PLANES = ctypes.c_ulong(-1)
REDIRECT_MANUAL, Z_PIXMAP, IS_VIEWABLE, REVERT_TO_PARENT = 1, 2, 2, 2
XA_ATOM, XA_CARDINAL, XA_WINDOW, REPLACE = 4, 6, 33, 0


class Attributes(ctypes.Structure):
    """XWindowAttributes."""

    _fields_ = [
        *((name, ctypes.c_int) for name in ("x", "y", "width", "height", "border_width", "depth")),
        ("visual", ctypes.c_void_p), ("root", ctypes.c_ulong),
        *((name, ctypes.c_int) for name in ("class_", "bit_gravity", "win_gravity", "backing_store")),
        ("backing_planes", ctypes.c_ulong), ("backing_pixel", ctypes.c_ulong),
        ("save_under", ctypes.c_int), ("colormap", ctypes.c_ulong),
        ("map_installed", ctypes.c_int), ("map_state", ctypes.c_int),
        ("all_event_masks", ctypes.c_long), ("your_event_mask", ctypes.c_long),
        ("do_not_propagate_mask", ctypes.c_long), ("override_redirect", ctypes.c_int),
        ("screen", ctypes.c_void_p),
    ]


class Image(ctypes.Structure):
    """The beginning of XImage."""

    _fields_ = [
        *((name, ctypes.c_int) for name in ("width", "height", "xoffset", "format")),
        ("data", ctypes.c_void_p),
        *((name, ctypes.c_int) for name in ("byte_order", "bitmap_unit", "bitmap_bit_order",
                                            "bitmap_pad", "depth", "bytes_per_line",
                                            "bits_per_pixel")),
    ]


def load(name):
    return ctypes.CDLL(ctypes.util.find_library(name) or f"lib{name}.so")


class Screen:
    def __init__(self):
        self._x, self._test, composite = load("X11"), load("Xtst"), load("Xcomposite")
        for name, result in (("XOpenDisplay", ctypes.c_void_p), ("XGetImage", ctypes.POINTER(Image)),
                             ("XDefaultRootWindow", ctypes.c_ulong), ("XInternAtom", ctypes.c_ulong),
                             ("XStringToKeysym", ctypes.c_ulong), ("XKeysymToKeycode", ctypes.c_ubyte),
                             ("XCreateSimpleWindow", ctypes.c_ulong)):
            getattr(self._x, name).restype = result
        self._display = ctypes.c_void_p(self._x.XOpenDisplay(None))
        if not self._display:
            raise RuntimeError("there is no X server")
        # A window that vanishes while it is asked about is no error.
        self._ignore = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)(lambda *_: 0)
        self._x.XSetErrorHandler(self._ignore)
        self._root = ctypes.c_ulong(self._x.XDefaultRootWindow(self._display))
        self._x.XWarpPointer(self._display, 0, self._root, 0, 0, 0, 0, 9999, 9999)  # out of the way
        composite.XCompositeRedirectSubwindows(self._display, self._root, REDIRECT_MANUAL)
        owner = ctypes.c_ulong(self._x.XCreateSimpleWindow(
            self._display, self._root, 0, 0, 1, 1, 0, ctypes.c_ulong(0), ctypes.c_ulong(0)))
        self._x.XSetSelectionOwner(self._display, self._atom(b"_NET_WM_CM_S0"), owner, ctypes.c_ulong(0))
        # GTK draws shadows where somebody says that these are known.
        self._set(self._root, b"_NET_SUPPORTED", XA_ATOM, self._atom(b"_GTK_FRAME_EXTENTS"))
        for window in (owner, self._root):
            self._set(window, b"_NET_SUPPORTING_WM_CHECK", XA_WINDOW, owner)
        self._x.XSync(self._display, 0)

    def _set(self, window, name, kind, value):
        self._x.XChangeProperty(self._display, window, self._atom(name), ctypes.c_ulong(kind), 32,
                                REPLACE, ctypes.byref(value), 1)

    def _atom(self, name):
        return ctypes.c_ulong(self._x.XInternAtom(self._display, name, 0))

    def _process_of(self, window):
        kind, size, count, rest = ctypes.c_ulong(), ctypes.c_int(), ctypes.c_ulong(), ctypes.c_ulong()
        value = ctypes.POINTER(ctypes.c_ulong)()
        self._x.XGetWindowProperty(
            self._display, window, self._atom(b"_NET_WM_PID"), ctypes.c_long(0), ctypes.c_long(1), 0,
            ctypes.c_ulong(XA_CARDINAL), *map(ctypes.byref, (kind, size, count, rest, value)))
        process = value[0] if value and count.value else None
        if value:
            self._x.XFree(value)
        return process

    def _attributes(self, window):
        attributes = Attributes()
        self._x.XGetWindowAttributes(self._display, window, ctypes.byref(attributes))
        return attributes

    def windows(self, process):
        """The windows of a process that are shown, the lowest first."""
        root, parent, count = ctypes.c_ulong(), ctypes.c_ulong(), ctypes.c_uint()
        children = ctypes.POINTER(ctypes.c_ulong)()
        self._x.XQueryTree(self._display, self._root,
                           *map(ctypes.byref, (root, parent, children, count)))
        windows = [ctypes.c_ulong(children[i]) for i in range(count.value)]
        if children:
            self._x.XFree(children)
        return [window for window in windows if self._process_of(window) == process
                and self._attributes(window).map_state == IS_VIEWABLE]

    def focus(self, window):
        """Gives a window the keyboard."""
        self._x.XSetInputFocus(self._display, window, REVERT_TO_PARENT, ctypes.c_ulong(0))
        self._x.XSync(self._display, 0)

    def press(self, *keys):
        """Presses keys at once: “Return”, or “Control_L” and “n”."""
        codes = [self._x.XKeysymToKeycode(
            self._display, ctypes.c_ulong(self._x.XStringToKeysym(key.encode()))) for key in keys]
        for code, down in [*((code, 1) for code in codes), *((code, 0) for code in reversed(codes))]:
            self._test.XTestFakeKeyEvent(self._display, code, down, ctypes.c_ulong(0))
        self._x.XSync(self._display, 0)

    def hide(self, window):
        """As a window manager minimises it."""
        self._x.XUnmapWindow(self._display, window)
        self._x.XSync(self._display, 0)

    def show(self, window):
        """And shows it again."""
        self._x.XMapWindow(self._display, window)
        self._x.XSync(self._display, 0)

    def place(self, window, x, y):
        """Moves a window, above all others."""
        self._x.XMoveWindow(self._display, window, x, y)
        self._x.XRaiseWindow(self._display, window)
        self._x.XSync(self._display, 0)

    def drag(self, start, end):
        """With the first button of the mouse, from one place on the screen to another, on a way that is seen."""
        self._point(*start)
        self._test.XTestFakeButtonEvent(self._display, 1, 1, ctypes.c_ulong(0))
        steps = 20
        for i in range(1, steps + 1):
            self._point(*(a + (b - a) * i // steps for a, b in zip(start, end)))
        self._point(end[0] + 1, end[1])
        self._test.XTestFakeButtonEvent(self._display, 1, 0, ctypes.c_ulong(0))
        self._x.XSync(self._display, 0)
        self._point(9999, 9999)  # out of the way

    def _point(self, x, y):
        self._test.XTestFakeMotionEvent(self._display, -1, x, y, ctypes.c_ulong(0))
        self._x.XSync(self._display, 0)
        time.sleep(0.05)

    def pictures(self, process):
        """What the windows of a process show, the lowest below the others."""
        return stacked([self.picture(window) for window in self.windows(process)])

    def picture(self, window):
        """What a window shows now, as a GdkPixbuf.Pixbuf with transparency."""
        attributes = self._attributes(window)
        width, height = attributes.width, attributes.height
        if attributes.depth != 32:
            raise RuntimeError("the window has no transparency: it found no compositor")
        image = self._x.XGetImage(self._display, window, 0, 0, width, height, ALL_PLANES, Z_PIXMAP)
        if not image:
            raise RuntimeError("the window is gone")
        pixels = ctypes.string_at(image.contents.data, image.contents.bytes_per_line * height)
        self._x.XFree(ctypes.c_void_p(image.contents.data))
        self._x.XFree(image)
        return GdkPixbuf.Pixbuf.new_from_bytes(
            GLib.Bytes.new(straight(pixels)), GdkPixbuf.Colorspace.RGB, True, 8, width, height, 4 * width)


def straight(pixels):
    """RGBA of premultiplied BGRA."""
    result = bytearray(len(pixels))
    result[0::4], result[1::4], result[2::4], result[3::4] = (
        pixels[2::4], pixels[1::4], pixels[0::4], pixels[3::4])
    for at, alpha in enumerate(pixels[3::4]):
        if 0 < alpha < 255:
            for i in range(4 * at, 4 * at + 3):
                result[i] = min(255, result[i] * 255 // alpha)
    return bytes(result)


def laid_out(pictures, width, places):
    """Pictures on nothing, each at a place from the left and in the middle of the height."""
    height = max(its.get_height() for its in pictures)
    whole = GdkPixbuf.Pixbuf.new(GdkPixbuf.Colorspace.RGB, True, 8, width, height)
    whole.fill(0)
    for its, x in zip(pictures, places):
        y = (height - its.get_height()) // 2
        its.composite(whole, x, y, its.get_width(), its.get_height(), x, y, 1, 1,
                      GdkPixbuf.InterpType.NEAREST, 255)
    return whole


def stacked(pictures):
    """One above the other, around the same place."""
    width = max(its.get_width() for its in pictures)
    return laid_out(pictures, width, [(width - its.get_width()) // 2 for its in pictures])


def side_by_side(pictures):
    """In a row, as near as windows are that don't cover each other."""
    ends = list(itertools.accumulate(its.get_width() - OVERLAP for its in pictures))
    return laid_out(pictures, ends[-1] + OVERLAP, [0, *ends])
