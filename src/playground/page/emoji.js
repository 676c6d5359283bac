// A small table of emoji names, as Slack writes them between colons. Unknown names stay as text.

const TABLE = {
  "+1": "👍", thumbsup: "👍", "-1": "👎", thumbsdown: "👎", eyes: "👀", tada: "🎉", heart: "❤️",
  rocket: "🚀", fire: "🔥", white_check_mark: "✅", heavy_check_mark: "✔️", x: "❌", warning: "⚠️",
  hourglass: "⌛", hourglass_flowing_sand: "⏳", stop_sign: "🛑", octagonal_sign: "🛑", no_entry: "⛔",
  no_entry_sign: "🚫", question: "❓", exclamation: "❗", bulb: "💡", memo: "📝", pencil: "✏️",
  pencil2: "✏️", mag: "🔍", wrench: "🔧", hammer: "🔨", gear: "⚙️", lock: "🔒", key: "🔑",
  chart_with_upwards_trend: "📈", chart_with_downwards_trend: "📉", bar_chart: "📊", robot_face: "🤖",
  wave: "👋", pray: "🙏", clap: "👏", thinking_face: "🤔", smile: "😄", smiley: "😃", grinning: "😀",
  slightly_smiling_face: "🙂", joy: "😂", sob: "😭", cry: "😢", sweat_smile: "😅", sunglasses: "😎",
  raised_hands: "🙌", ok_hand: "👌", point_right: "👉", point_up: "☝️", muscle: "💪", sparkles: "✨",
  star: "⭐", zap: "⚡", boom: "💥", bug: "🐛", package: "📦", books: "📚", book: "📖", link: "🔗",
  clock1: "🕐", alarm_clock: "⏰", stopwatch: "⏱️", moneybag: "💰", dollar: "💵", speech_balloon: "💬",
  bell: "🔔", mega: "📣", computer: "💻", floppy_disk: "💾", file_folder: "📁", page_facing_up: "📄",
  paperclip: "📎", arrow_right: "➡️", arrow_down: "⬇️", arrow_up: "⬆️", repeat: "🔁",
  arrows_counterclockwise: "🔄", red_circle: "🔴", large_green_circle: "🟢", large_blue_circle: "🔵",
  large_yellow_circle: "🟡", white_circle: "⚪", black_circle: "⚫", information_source: "ℹ️",
  hugging_face: "🤗", construction: "🚧", test_tube: "🧪", brain: "🧠", "100": "💯", ok: "🆗",
  raised_hand: "✋", hand: "✋", black_square_button: "🔲", ballot_box_with_check: "☑️", white_large_square: "⬜",
  large_orange_circle: "🟠", cyclone: "🌀", shield: "🛡️", coffee: "☕", seedling: "🌱", snail: "🐌", turtle: "🐢",
  broom: "🧹", clipboard: "📋", inbox_tray: "📥", outbox_tray: "📤", speech_left: "🗨️", leftwards_arrow_with_hook: "↩️",
  double_vertical_bar: "⏸️", arrow_forward: "▶️", black_square_for_stop: "⏹️", label: "🏷️",
};

/** The names offered by the reaction picker, in order. */
export const PICKER = [
  "+1", "-1", "eyes", "tada", "heart", "rocket", "fire", "white_check_mark", "x", "thinking_face",
  "pray", "raised_hands", "100", "joy", "sob", "wave", "bulb", "bug", "sparkles", "octagonal_sign",
];

export function emoji(name) {
  const plain = String(name).replace(/::skin-tone-\d$/, "");
  return Object.hasOwn(TABLE, plain) ? TABLE[plain] : null;
}

/** Replaces every known :name: in plain text. */
export function withEmoji(text) {
  return String(text).replace(/:([a-z0-9_+-]{1,40}):/g, (whole, name) => emoji(name) ?? whole);
}
