# SPDX-License-Identifier: MIT
"""Records edited in the inspector: test_edit.py INSPECTOR"""

import inspecting
from accessible import wait_for


class Edit(inspecting.DataCase):
    def allow(self, inspector):
        inspector.use("Allow Edits")
        inspector.wait_for("Allow Edits?")
        inspector.find("button", "Not Now")  # the panel has the keyboard
        inspector.press("Return")
        inspector.find("button", "New Key")

    def write(self, inspector, name, text):
        inspector.find("text box", name).write(text)

    @staticmethod
    def wait_for_editor(inspector):
        """It comes with the value, when that was read, and replaces what was written before."""
        wait_for("the keyboard in the editor", lambda: (at := inspector.focused()) is not None
                 and at.name == "New Value")

    def difference(self, inspector, name="Difference"):
        """The lines of each difference that is shown."""
        return [[line for label in box.all("label") for line in label.name.split("\n")]
                for box in inspector.all("group", name)]

    def open_editor(self, inspector, key):
        self.go_to(inspector, key)
        self.wait_for_keyboard(inspector, key)
        inspector.press("F2")
        self.wait_for_editor(inspector)

    def edit(self, inspector, key, text):
        self.open_editor(inspector, key)
        self.write(inspector, "New Value", text)
        inspector.press("Control_L", "Return")
        inspector.find("button", "Review 1 Change")

    def stage_a_name(self):
        """An application that allows it, and an inspector with one change."""
        application = self.start()
        application.do("control", 1)
        application.do("forms", 0)
        inspector = self.open()
        self.allow(inspector)
        self.edit(inspector, "user:ada:name", "Ada Lovelace")
        return application, inspector

    def test_keyboard_alone(self):
        application = self.start()
        application.do("control", 1)
        application.do("forms", 0)
        inspector = self.open()
        self.go_to(inspector, "user:ada:card")
        self.wait_for_keyboard(inspector, "user:ada:card")

        # What it means is said before anything is asked.
        inspector.press("F2")
        inspector.wait_for("Allow Edits?")
        inspector.wait_for("written when you commit them")
        inspector.picture("edit-asking")
        wait_for("the keyboard", lambda: inspector.focused().name == "Allow Edits")
        inspector.press("Return")
        inspector.find("button", "New Key")
        self.assertEqual(inspector.nameless(), [])

        # JSON that is wrong cannot be staged, and where it is wrong is said.
        inspector.press("F2")
        self.wait_for_editor(inspector)
        self.write(inspector, "New Value", '{"phone": [1, 2,\n 3,]}')
        inspector.wait_for("Line 2, column 4")
        inspector.picture("edit-wrong")
        inspector.press("Control_L", "Return")
        self.write(inspector, "New Value", '{"phone": [1, 3]}')
        inspector.picture("edit-editor")
        inspector.press("Control_L", "Return")
        inspector.find("button", "Review 1 Change")
        application.do("expect", 'user:ada:card={"phone": [1, 2]}')  # nothing is written yet

        # A new key, one that is deleted, and bytes.
        inspector.press("Control_L", "Shift_L", "n")
        self.write(inspector, "Key", "user:cyd")
        self.write(inspector, "New Value", "Cyd")
        inspector.press("Control_L", "Return")
        inspector.find("button", "Review 2 Changes")
        self.go_to(inspector, "user:ada:name")
        self.wait_for_keyboard(inspector, "user:ada:name")
        inspector.press("Delete")
        inspector.find("button", "Review 3 Changes")
        self.go_to(inspector, "binary")
        self.wait_for_keyboard(inspector, "binary")
        inspector.press("F2")
        self.wait_for_editor(inspector)
        self.write(inspector, "New Value", "00 01 ff")
        inspector.press("Control_L", "Return")
        inspector.find("button", "Review 4 Changes")
        wait_for("the keyboard", lambda: inspector.focused().name == "Review 4 Changes")
        inspector.press("Return")

        inspector.wait_for("4 Staged Changes")
        card, new, deleted, binary = self.difference(inspector)
        self.assertIn("−     2", card)
        self.assertIn("+     3", card)
        self.assertEqual(new, ["+ Cyd"])
        self.assertEqual(deleted, ["− Ada"])
        self.assertRegex(binary[-1], r"^\+ 00000000  00 01 ff ")
        inspector.picture("edit-review")
        self.assertEqual(inspector.nameless(), [])
        wait_for("the keyboard", lambda: inspector.focused().name == "Commit")
        inspector.press("Return")
        inspector.wait_for("Committed: 4 records were written.")
        application.do("expect", 'user:ada:card={"phone": [1, 3]}')
        application.do("expect", "user:cyd=Cyd")
        application.do("expect", "user:ada:name")
        self.wait_for_key(inspector, "user:cyd")
        inspector.picture("edit-committed")

        inspector.press("Control_L", "Shift_L", "z")
        inspector.wait_for("Undone: 4 records are as they were.")
        application.do("expect", 'user:ada:card={"phone": [1, 2]}')
        application.do("expect", "user:cyd")
        application.do("expect", "user:ada:name=Ada")
        self.assertEqual(inspector.close(), (0, ""))

    def test_another_is_selected(self):
        """What is edited is the key that it was asked for, though the application answers later."""
        application = self.start()
        application.do("control", 1)
        application.do("key", "a")
        application.do("key", "b")
        inspector = self.open()
        self.allow(inspector)
        self.go_to(inspector, "a")
        self.wait_for_value(inspector, "value 1")
        self.wait_for_keyboard(inspector, "a")
        application.stop()
        inspector.press("F2")
        inspector.press("Down")
        self.wait_for_keyboard(inspector, "b")
        application.go_on()
        self.wait_for_editor(inspector)
        self.write(inspector, "New Value", "mine")
        inspector.press("Control_L", "Return")
        inspector.find("button", "Review 1 Change")
        inspector.press("Control_L", "s")
        inspector.find("button", "Discard the Change of a")
        self.assertEqual(self.difference(inspector), [["− value 1", "+ mine"]])
        inspector.press("Return")
        inspector.wait_for("Committed: 1 record was written.")
        self.assertEqual(inspector.close(), (0, ""))

    def test_conflict(self):
        application = self.start()
        application.do("control", 1)
        for name in ("a", "b", "c"):
            application.do("key", name)  # value 1, 2, 3
        inspector = self.open()
        self.allow(inspector)
        for i, name in enumerate(("a", "b", "c")):
            self.go_to(inspector, name)
            self.wait_for_keyboard(inspector, name)
            inspector.press("F2")
            self.wait_for_editor(inspector)
            self.write(inspector, "New Value", f"mine {name}")
            inspector.press("Control_L", "Return")
            inspector.find("button", f"Review {i + 1} Change{'s' if i else ''}")
        application.do("key", "a")  # value 4
        application.do("forget", "b")
        inspector.press("Control_L", "s")
        inspector.use("Commit")
        inspector.wait_for("Nothing was written: 2 keys are not as they were.")
        application.do("expect", "c=value 3")
        self.assertEqual(self.difference(inspector, "What Is There Now"),
                         [["− value 1", "+ value 4"], ["− value 2"]])
        inspector.picture("edit-conflict")

        # Theirs of one, mine of the other.
        inspector.use("Take Theirs")
        inspector.wait_for("2 Staged Changes")
        inspector.use("Keep Mine")
        inspector.wait_for("They are written in one transaction")
        inspector.use("Commit")
        inspector.wait_for("Committed: 2 records were written.")
        application.do("expect", "a=value 4")
        application.do("expect", "b=mine b")
        application.do("expect", "c=mine c")

        # What was written after a commit is not undone unasked.
        application.do("key", "c")  # value 5
        inspector.use("Undo Last Commit")
        inspector.wait_for("Nothing was written: 1 key is not as it was.")
        application.do("expect", "b=mine b")
        inspector.use("Take Theirs")
        inspector.wait_for("They are written in one transaction")
        inspector.use("Commit")
        inspector.wait_for("Committed: 1 record was written.")
        application.do("expect", "b")
        application.do("expect", "c=value 5")
        self.assertEqual(inspector.close(), (0, ""))

    def test_refused(self):
        application = self.start()
        application.do("key", "a")
        inspector = self.open()
        inspector.use("Allow Edits")
        inspector.wait_for("Allow Edits?")
        inspector.press("Return")
        inspector.wait_for("The Database Cannot Be Edited")
        inspector.wait_for("LdbDatabase:control-allowed")
        inspector.picture("edit-refused")
        self.assertEqual(inspector.nameless(), [])
        application.do("control", 1)
        inspector.use("Try Again")
        inspector.find("button", "New Key")

        # Control that is taken back while something is staged.
        self.edit(inspector, "a", "mine")
        application.do("control", 0)
        inspector.press("Control_L", "s")
        inspector.use("Commit")
        inspector.wait_for("The Database Cannot Be Edited")
        application.do("expect", "a=value 1")
        application.do("control", 1)
        inspector.use("Try Again")
        inspector.press("Control_L", "s")
        inspector.use("Commit")
        inspector.wait_for("Committed: 1 record was written.")
        application.do("expect", "a=mine")
        self.assertEqual(inspector.close(), (0, ""))

    def test_folder(self):
        """A database that the inspector opened itself."""
        application = self.start()
        application.do("key", "a")
        application.end()
        before = self.files()
        inspector = self.inspect(f"{self.directory}/shared")
        inspector.wait_for("Time of Reads")
        inspector.show_page("Data", "No Key Selected")
        self.wait_for_key(inspector, "a")
        inspector.use("Allow Edits")
        inspector.wait_for("This folder is only read so far.")
        inspector.picture("edit-folder")
        self.assertEqual(self.files(), before)
        inspector.press("Return")
        inspector.find("button", "New Key")
        self.edit(inspector, "a", "mine")
        inspector.press("Control_L", "s")
        inspector.use("Commit")
        inspector.wait_for("Committed: 1 record was written.")
        self.assertEqual(inspector.close(), (0, ""))
        application = self.start()
        application.do("expect", "a=mine")

    def test_leaving(self):
        """What is staged is marked, and not lost without a word."""
        application, inspector = self.stage_a_name()
        wait_for("the mark", lambda: self.wait_for_key(inspector, "user:ada:name")[0].name == "Staged")
        self.assertNotEqual(self.wait_for_key(inspector, "user:ada:card")[0].name, "Staged")
        inspector.picture("edit-staged")
        inspector.press("Alt_L", "1")  # another page keeps it
        inspector.wait_for("Time of Reads")
        for keys in (("Alt_L", "Home"), ("Control_L", "w")):
            inspector.press(*keys)
            inspector.wait_for("1 change was not written")
            inspector.picture("edit-leaving")
            inspector.answer("Discard Changes?", "Keep Editing")
        inspector.press("Alt_L", "3")
        inspector.find("button", "Review 1 Change")
        inspector.press("Alt_L", "Home")
        inspector.wait_for("1 change was not written")
        inspector.answer("Discard Changes?", "Discard")
        inspector.wait_for(f"{self.directory}/shared")
        application.do("expect", "user:ada:name=Ada")
        self.assertEqual(inspector.close(), (0, ""))

    def test_writing_is_kept(self):
        """What stands in the editor is not dropped by keys that have something else done."""
        application, inspector = self.stage_a_name()
        self.open_editor(inspector, "user:ada:card")
        for i, keys in enumerate((("Control_L", "s"), ("Control_L", "Shift_L", "n"), ("F2",), ("Delete",))):
            self.write(inspector, "New Value", f"[{i}]")
            wait_for("no complaint", lambda: not any("not staged yet" in text for text in inspector.labels()))
            if keys == ("Delete",):
                self.go_to(inspector, "user:ada:name")
                self.wait_for_keyboard(inspector, "user:ada:name")
            inspector.press(*keys)
            inspector.wait_for("not staged yet")
            self.assertEqual(inspector.part("text box", "New Value").text(), f"[{i}]")
            self.wait_for_editor(inspector)
        inspector.picture("edit-kept")
        inspector.press("Control_L", "Return")
        inspector.find("button", "Review 2 Changes")
        inspector.press("Control_L", "s")
        inspector.find("button", "Discard the Change of user:ada:card")
        self.assertIn("+   3", sum(self.difference(inspector), []))
        inspector.press("Escape")
        inspector.press("Control_L", "w")
        inspector.answer("Discard Changes?", "Discard", ends=True)

    def test_leaving_for_good(self):
        """With the window."""
        application = self.start()
        application.do("control", 1)
        application.do("forms", 0)
        for key in ("w", "q"):
            inspector = self.open()
            self.allow(inspector)
            self.edit(inspector, "user:ada:name", "Ada Lovelace")
            self.open_editor(inspector, "user:ada:card")
            if key == "q":  # one more, which stands in the editor
                self.write(inspector, "New Value", '{"phone": []}')
            # The same in another form is no change. The first step is to where it is.
            inspector.choose("Edit Value As", 2)
            text = inspector.find("text box", "New Value")
            wait_for("its bytes", lambda: text.text().startswith("7b"))
            inspector.press("Control_L", key)
            inspector.wait_for("2 changes were not written" if key == "q" else "1 change was not written")
            inspector.answer("Discard Changes?", "Discard", ends=True)
            self.assertEqual((inspector.process.returncode, inspector.last_words()), (0, ""))
        application.do("expect", "user:ada:name=Ada")


if __name__ == "__main__":
    inspecting.main()
