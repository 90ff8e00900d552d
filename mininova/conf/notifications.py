"""[notifications]: which of Nova's events are told."""

from oslo_config import cfg

GROUP = cfg.OptGroup("notifications", help="Which events are told.")

OPTIONS: list[cfg.Opt] = [
    cfg.StrOpt(
        "notify_on_state_change",
        default="vm_and_task_state",
        choices=[
            ("vm_state", "when the state of an instance has changed"),
            ("vm_and_task_state", "when that has, or what is being done to it"),
            ("none", "never"),
        ],
        help="When compute.instance.update is emitted.",
    ),
]
