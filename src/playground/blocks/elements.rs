//! The tables of Block Kit's elements and of rich text: their fields, and how long they may be.
//!
//! Data only; `shapes` has the blocks, `check` reads both.

use super::shapes::Field;
use super::shapes::Kind::{self, Any, Bool, Element, List, Number, Object, OneOf, Plain, Str, Text};
use super::shapes::Need::{May, Must};

const COLOR: Kind = OneOf(&["primary", "danger"]);
const CONFIRM: Kind = Object(&[
    ("title", May, Plain(100)),
    ("text", Must, Text(300)),
    ("confirm", May, Plain(30)),
    ("deny", May, Plain(30)),
    ("style", May, COLOR),
]);
const OPTION: Kind = Object(&[
    ("text", Must, Text(75)),
    ("value", Must, Str(1, 150)),
    ("description", May, Plain(75)),
    ("url", May, Str(1, 3000)),
]);
const OPTIONS: Kind = List(&OPTION, 1, 100);
const FEW_OPTIONS: Kind = List(&OPTION, 1, 10);
const GROUPS: Kind = List(&Object(&[("label", Must, Plain(75)), ("options", Must, OPTIONS)]), 1, 100);
const FEEDBACK: Kind = Object(&[
    ("text", Must, Plain(75)),
    ("value", Must, Str(1, 2000)),
    ("accessibility_label", May, Str(1, 75)),
]);
pub(super) const SLACK_FILE: Kind = Object(&[("id", May, Str(1, 255)), ("url", May, Str(1, 3000))]);
const DISPATCH: Kind = Object(&[("trigger_actions_on", May, Any)]);
const ID: Field = ("action_id", May, Str(1, 255));
const SURE: Field = ("confirm", May, CONFIRM);
const FOCUS: Field = ("focus_on_load", May, Bool);
const HINT: Field = ("placeholder", May, Plain(150));
const DISPATCHES: Field = ("dispatch_action_config", May, DISPATCH);
const MANY: Field = ("max_selected_items", May, Number);

/// Elements that may stand in an actions block.
pub(super) const ACTION_ELEMENTS: &[&str] = &[
    "button",
    "checkboxes",
    "datepicker",
    "datetimepicker",
    "timepicker",
    "overflow",
    "radio_buttons",
    "workflow_button",
    "rich_text_input",
    "static_select",
    "external_select",
    "users_select",
    "conversations_select",
    "channels_select",
    "multi_static_select",
    "multi_external_select",
    "multi_users_select",
    "multi_conversations_select",
    "multi_channels_select",
];
pub(super) const INPUT_ELEMENTS: &[&str] = &[
    "checkboxes",
    "datepicker",
    "datetimepicker",
    "timepicker",
    "email_text_input",
    "url_text_input",
    "number_input",
    "plain_text_input",
    "rich_text_input",
    "file_input",
    "radio_buttons",
    "static_select",
    "external_select",
    "users_select",
    "conversations_select",
    "channels_select",
    "multi_static_select",
    "multi_external_select",
    "multi_users_select",
    "multi_conversations_select",
    "multi_channels_select",
];
pub(super) const ACCESSORIES: &[&str] = &[
    "button",
    "checkboxes",
    "datepicker",
    "timepicker",
    "image",
    "overflow",
    "radio_buttons",
    "workflow_button",
    "static_select",
    "external_select",
    "users_select",
    "conversations_select",
    "channels_select",
    "multi_static_select",
    "multi_external_select",
    "multi_users_select",
    "multi_conversations_select",
    "multi_channels_select",
];

/// Every element type and its fields.
pub const ELEMENTS: &[(&str, &[Field])] = &[
    (
        "button",
        &[
            ID,
            SURE,
            ("text", Must, Plain(75)),
            ("value", May, Str(0, 2000)),
            ("url", May, Str(0, 3000)),
            ("style", May, COLOR),
            ("accessibility_label", May, Str(1, 75)),
        ],
    ),
    (
        "workflow_button",
        &[
            ID,
            SURE,
            ("text", Must, Plain(75)),
            ("workflow", Must, Any),
            ("style", May, COLOR),
            ("accessibility_label", May, Str(1, 75)),
        ],
    ),
    ("checkboxes", &[ID, SURE, FOCUS, ("options", Must, FEW_OPTIONS), ("initial_options", May, FEW_OPTIONS)]),
    ("radio_buttons", &[ID, SURE, FOCUS, ("options", Must, FEW_OPTIONS), ("initial_option", May, OPTION)]),
    ("overflow", &[ID, SURE, ("options", Must, List(&OPTION, 1, 5))]),
    ("datepicker", &[ID, SURE, FOCUS, HINT, ("initial_date", May, Str(10, 10))]),
    (
        "timepicker",
        &[ID, SURE, FOCUS, HINT, ("initial_time", May, Str(5, 5)), ("timezone", May, Str(1, 100))],
    ),
    ("datetimepicker", &[ID, SURE, FOCUS, ("initial_date_time", May, Number)]),
    (
        "plain_text_input",
        &[
            ID,
            FOCUS,
            HINT,
            DISPATCHES,
            ("initial_value", May, Str(0, 3000)),
            ("multiline", May, Bool),
            ("min_length", May, Number),
            ("max_length", May, Number),
        ],
    ),
    ("email_text_input", &[ID, FOCUS, HINT, DISPATCHES, ("initial_value", May, Str(0, 3000))]),
    ("url_text_input", &[ID, FOCUS, HINT, DISPATCHES, ("initial_value", May, Str(0, 3000))]),
    (
        "number_input",
        &[
            ID,
            FOCUS,
            HINT,
            DISPATCHES,
            ("is_decimal_allowed", Must, Bool),
            ("initial_value", May, Str(0, 100)),
            ("min_value", May, Str(0, 100)),
            ("max_value", May, Str(0, 100)),
        ],
    ),
    (
        "rich_text_input",
        &[
            ID,
            FOCUS,
            HINT,
            DISPATCHES,
            ("initial_value", May, Any),
            ("min_lines", May, Number),
            ("max_lines", May, Number),
        ],
    ),
    ("file_input", &[ID, ("filetypes", May, Any), ("max_files", May, Number)]),
    (
        "static_select",
        &[
            ID,
            SURE,
            FOCUS,
            HINT,
            ("options", May, OPTIONS),
            ("option_groups", May, GROUPS),
            ("initial_option", May, OPTION),
        ],
    ),
    (
        "multi_static_select",
        &[
            ID,
            SURE,
            FOCUS,
            HINT,
            MANY,
            ("options", May, OPTIONS),
            ("option_groups", May, GROUPS),
            ("initial_options", May, OPTIONS),
        ],
    ),
    (
        "external_select",
        &[ID, SURE, FOCUS, HINT, ("initial_option", May, OPTION), ("min_query_length", May, Number)],
    ),
    (
        "multi_external_select",
        &[ID, SURE, FOCUS, HINT, MANY, ("initial_options", May, OPTIONS), ("min_query_length", May, Number)],
    ),
    ("users_select", &[ID, SURE, FOCUS, HINT, ("initial_user", May, Str(1, 255))]),
    ("multi_users_select", &[ID, SURE, FOCUS, HINT, MANY, ("initial_users", May, Any)]),
    (
        "channels_select",
        &[ID, SURE, FOCUS, HINT, ("initial_channel", May, Str(1, 255)), ("response_url_enabled", May, Bool)],
    ),
    ("multi_channels_select", &[ID, SURE, FOCUS, HINT, MANY, ("initial_channels", May, Any)]),
    (
        "conversations_select",
        &[
            ID,
            SURE,
            FOCUS,
            HINT,
            ("initial_conversation", May, Str(1, 255)),
            ("default_to_current_conversation", May, Bool),
            ("response_url_enabled", May, Bool),
            ("filter", May, Any),
        ],
    ),
    (
        "multi_conversations_select",
        &[
            ID,
            SURE,
            FOCUS,
            HINT,
            MANY,
            ("initial_conversations", May, Any),
            ("default_to_current_conversation", May, Bool),
            ("filter", May, Any),
        ],
    ),
    ("feedback_buttons", &[ID, ("positive_button", Must, FEEDBACK), ("negative_button", Must, FEEDBACK)]),
    (
        "icon_button",
        &[
            ID,
            SURE,
            ("icon", Must, Str(1, 75)),
            ("text", Must, Plain(75)),
            ("value", May, Str(0, 2000)),
            ("accessibility_label", May, Str(1, 75)),
            ("visible_to_user_ids", May, Any),
        ],
    ),
    (
        "image",
        &[
            ("alt_text", Must, Str(1, 2000)),
            ("image_url", May, Str(1, 3000)),
            ("slack_file", May, SLACK_FILE),
        ],
    ),
    ("url", &[("url", Must, Str(1, 3000)), ("text", Must, Str(1, 255))]),
];

const RICH_STYLE: Field = ("style", May, Any);
const RICH_INLINE: &[&str] =
    &["broadcast", "color", "channel", "date", "emoji", "link", "team", "text", "user", "usergroup"];

/// Parts of rich text and their fields.
pub const RICH: &[(&str, &[Field])] = &[
    ("rich_text_section", &[("elements", Must, List(&Element(RICH_INLINE), 0, 10_000))]),
    (
        "rich_text_list",
        &[
            ("elements", Must, List(&Element(&["rich_text_section"]), 0, 10_000)),
            ("style", Must, OneOf(&["bullet", "ordered"])),
            ("indent", May, Number),
            ("offset", May, Number),
            ("border", May, Number),
        ],
    ),
    (
        "rich_text_quote",
        &[("elements", Must, List(&Element(RICH_INLINE), 0, 10_000)), ("border", May, Number)],
    ),
    (
        "rich_text_preformatted",
        &[
            ("elements", Must, List(&Element(&["text", "link"]), 0, 10_000)),
            ("border", May, Number),
            ("language", May, Str(0, 100)),
        ],
    ),
    ("broadcast", &[RICH_STYLE, ("range", Must, OneOf(&["here", "channel", "everyone"]))]),
    ("color", &[RICH_STYLE, ("value", Must, Str(1, 100))]),
    ("channel", &[RICH_STYLE, ("channel_id", Must, Str(1, 255))]),
    (
        "date",
        &[
            RICH_STYLE,
            ("timestamp", Must, Number),
            ("format", Must, Str(1, 255)),
            ("url", May, Str(0, 3000)),
            ("fallback", May, Str(0, 3000)),
        ],
    ),
    (
        "emoji",
        &[RICH_STYLE, ("name", Must, Str(1, 255)), ("unicode", May, Str(0, 255)), ("url", May, Str(0, 3000))],
    ),
    (
        "link",
        &[RICH_STYLE, ("url", Must, Str(1, 3000)), ("text", May, Str(0, 12_000)), ("unsafe", May, Bool)],
    ),
    ("team", &[RICH_STYLE, ("team_id", Must, Str(1, 255))]),
    ("text", &[RICH_STYLE, ("text", Must, Str(1, 12_000))]),
    ("user", &[RICH_STYLE, ("user_id", Must, Str(1, 255))]),
    ("usergroup", &[RICH_STYLE, ("usergroup_id", Must, Str(1, 255))]),
];
