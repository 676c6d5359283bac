//! The tables of Block Kit: every block, its fields, and how long they may be.
//!
//! Data only; `check` reads it. A field that is not here is refused, as Slack refuses it.

/// What a field may hold.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// A string of at least and at most so many characters.
    Str(usize, usize),
    /// `true` or `false`.
    Bool,
    /// A number.
    Number,
    /// Anything.
    Any,
    /// One of these strings.
    OneOf(&'static [&'static str]),
    /// A `plain_text` object.
    Plain(usize),
    /// A `mrkdwn` object.
    Mrkdwn(usize),
    /// Either text object.
    Text(usize),
    /// An object with these fields.
    Object(&'static [Field]),
    /// An element of one of these types.
    Element(&'static [&'static str]),
    /// A block of one of these types.
    Block(&'static [&'static str]),
    /// A list of at least and at most so many.
    List(&'static Kind, usize, usize),
    /// A context element: image, `plain_text` or `mrkdwn`.
    ContextElement,
    /// A table cell: `raw_text`, `raw_number` or `rich_text`.
    Cell,
}

/// A field: its name, whether it must be there, what it holds.
pub type Field = (&'static str, Need, Kind);

/// Whether a field must be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// It must.
    Must,
    /// It may.
    May,
}
use super::elements::{ACCESSORIES, ACTION_ELEMENTS, INPUT_ELEMENTS, SLACK_FILE};
use Kind::{Any, Block, Bool, Cell, ContextElement, Element, List, Mrkdwn, Number, OneOf, Plain, Str, Text};
use Need::{May, Must};

const INSIDE_CONTAINER: &[&str] = &[
    "actions",
    "context",
    "divider",
    "file",
    "header",
    "image",
    "input",
    "rich_text",
    "section",
    "table",
    "video",
];
const TASK_STATUS: Kind = OneOf(&["pending", "in_progress", "complete", "error"]);

/// Every block type and its fields; `type` and `block_id` are understood.
pub const BLOCKS: &[(&str, &[Field])] = &[
    (
        "section",
        &[
            ("text", May, Text(3000)),
            ("fields", May, List(&Text(2000), 1, 10)),
            ("accessory", May, Element(ACCESSORIES)),
            ("expand", May, Bool),
        ],
    ),
    ("header", &[("text", Must, Plain(150)), ("level", May, Number)]),
    ("divider", &[]),
    (
        "image",
        &[
            ("alt_text", Must, Str(1, 2000)),
            ("image_url", May, Str(1, 3000)),
            ("slack_file", May, SLACK_FILE),
            ("title", May, Plain(2000)),
        ],
    ),
    ("actions", &[("elements", Must, List(&Element(ACTION_ELEMENTS), 1, 25))]),
    ("context", &[("elements", Must, List(&ContextElement, 1, 10))]),
    ("context_actions", &[("elements", Must, List(&Element(&["feedback_buttons", "icon_button"]), 1, 5))]),
    (
        "input",
        &[
            ("label", Must, Plain(2000)),
            ("element", Must, Element(INPUT_ELEMENTS)),
            ("hint", May, Plain(2000)),
            ("optional", May, Bool),
            ("dispatch_action", May, Bool),
        ],
    ),
    ("file", &[("external_id", Must, Str(1, 255)), ("source", Must, Str(1, 255))]),
    (
        "video",
        &[
            ("video_url", Must, Str(1, 3000)),
            ("thumbnail_url", Must, Str(1, 3000)),
            ("alt_text", Must, Str(1, 2000)),
            ("title", Must, Plain(199)),
            ("title_url", May, Str(1, 3000)),
            ("author_name", May, Str(0, 49)),
            ("provider_name", May, Str(0, 255)),
            ("provider_icon_url", May, Str(0, 3000)),
            ("description", May, Plain(199)),
        ],
    ),
    ("markdown", &[("text", Must, Str(1, 12_000))]),
    (
        "rich_text",
        &[(
            "elements",
            Must,
            List(
                &Element(&[
                    "rich_text_section",
                    "rich_text_list",
                    "rich_text_quote",
                    "rich_text_preformatted",
                ]),
                1,
                1000,
            ),
        )],
    ),
    (
        "table",
        &[("rows", Must, List(&List(&Cell, 1, 20), 1, 100)), ("column_settings", May, List(&Any, 0, 20))],
    ),
    (
        "data_table",
        &[
            ("rows", Must, List(&List(&Cell, 1, 20), 2, 201)),
            ("caption", Must, Str(1, 255)),
            ("page_size", May, Number),
            ("row_header_column_index", May, Number),
        ],
    ),
    ("data_visualization", &[("title", May, Any), ("chart", May, Any), ("data", May, Any)]),
    (
        "task_card",
        &[
            ("task_id", Must, Str(1, 255)),
            ("title", Must, Str(1, 256)),
            ("status", Must, TASK_STATUS),
            ("details", May, Block(&["rich_text"])),
            ("output", May, Block(&["rich_text"])),
            ("sources", May, List(&Element(&["url"]), 0, 50)),
        ],
    ),
    ("plan", &[("title", Must, Str(1, 256)), ("tasks", May, List(&Block(&["task_card"]), 0, 50))]),
    (
        "alert",
        &[
            ("text", Must, Text(3000)),
            ("level", May, OneOf(&["default", "info", "warning", "error", "success"])),
        ],
    ),
    ("card", CARD),
    ("carousel", &[("elements", Must, List(&Block(&["card"]), 1, 10))]),
    (
        "container",
        &[
            ("title", May, Plain(150)),
            ("rich_text_title", May, Block(&["rich_text"])),
            ("subtitle", May, Text(150)),
            ("child_blocks", Must, List(&Block(INSIDE_CONTAINER), 1, 10)),
            ("width", May, OneOf(&["narrow", "standard", "wide", "full"])),
            ("icon", May, Element(&["image"])),
            ("is_collapsible", May, Bool),
            ("default_collapsed", May, Bool),
            ("has_header_divider", May, Bool),
        ],
    ),
];

const CARD: &[Field] = &[
    ("hero_image", May, Element(&["image"])),
    ("icon", May, Element(&["image"])),
    ("title", May, Mrkdwn(150)),
    ("subtitle", May, Mrkdwn(150)),
    ("body", May, Mrkdwn(200)),
    ("actions", May, List(&Element(&["button"]), 1, 3)),
];

/// A modal's own fields, besides its blocks.
pub const MODAL: &[Field] = &[
    ("title", Must, Plain(24)),
    ("submit", May, Plain(24)),
    ("close", May, Plain(24)),
    ("blocks", Must, Any),
    ("private_metadata", May, Str(0, 3000)),
    ("callback_id", May, Str(0, 255)),
    ("external_id", May, Str(0, 255)),
    ("clear_on_close", May, Bool),
    ("notify_on_close", May, Bool),
    ("submit_disabled", May, Bool),
];

/// A home's own fields, besides its blocks.
pub const HOME: &[Field] = &[
    ("blocks", Must, Any),
    ("private_metadata", May, Str(0, 3000)),
    ("callback_id", May, Str(0, 255)),
    ("external_id", May, Str(0, 255)),
];
