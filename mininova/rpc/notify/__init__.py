"""Notifications: messages that say what happened, for any process that listens.

Read it in the order of a notification: notifier (telling), notification (what is told), drivers (where it may go) with
messaging and outbox (to the broker, and not to wait for it), listener (hearing it).
"""
