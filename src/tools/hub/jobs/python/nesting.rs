//! Whether a script nests deeper than can be read safely, told from its tokens alone.
//!
//! Python itself refuses more than 200 open brackets and 100 indentations. What it does not bound are chains
//! (`not not not x`, `a.b.c.d`, `1 + 1 + 1`): in the tree each link is one level deeper, so they are counted too.

use ruff_python_ast::token::TokenKind;
use ruff_python_parser::Mode;
use ruff_python_parser::lexer::lex;

/// Open brackets that Python takes.
const BRACKETS: usize = 200;
/// Indentations that Python takes.
const INDENTS: usize = 100;
/// Links of chains, of all open brackets together.
const LINKS: usize = 3_000;

/// Near which line it first is too deep, from 1.
pub(super) fn too_deep(source: &str) -> Option<usize> {
    let mut depth = Depth::default();
    let mut lexer = lex(source, Mode::Module);
    let mut line = 1;
    // A lexer gives at most a token a byte, and some at the end.
    for _ in 0..=source.len() * 2 + 2 * INDENTS {
        let kind = lexer.next_token();
        if kind == TokenKind::EndOfFile {
            return None;
        }
        if !depth.take(kind) {
            return Some(line);
        }
        line += usize::from(kind.is_any_newline());
    }
    Some(line)
}

/// What is open at a token.
struct Depth {
    indents: usize,
    /// For each open bracket, and for the statement itself, the links since the last comma, and those that no
    /// comma ends.
    open: Vec<(usize, usize)>,
    links: usize,
}

impl Default for Depth {
    fn default() -> Self {
        Self { indents: 0, open: vec![(0, 0)], links: 0 }
    }
}

impl Depth {
    /// Goes on by one token; false if that is too deep.
    fn take(&mut self, kind: TokenKind) -> bool {
        match kind {
            TokenKind::Indent => self.indents += 1,
            TokenKind::Dedent => self.indents = self.indents.saturating_sub(1),
            TokenKind::Lpar | TokenKind::Lsqb | TokenKind::Lbrace => {
                self.link();
                self.open.push((0, 0));
            }
            TokenKind::Rpar | TokenKind::Rsqb | TokenKind::Rbrace => {
                if self.open.len() > 1
                    && let Some((soft, hard)) = self.open.pop()
                {
                    self.links -= soft + hard;
                }
            }
            TokenKind::Comma => {
                if let Some((soft, _)) = self.open.last_mut() {
                    self.links -= std::mem::take(soft);
                }
            }
            TokenKind::Newline | TokenKind::Semi => {
                self.open = vec![(0, 0)];
                self.links = 0;
            }
            // Its own commas do not end what it nests in.
            TokenKind::Lambda => {
                if let Some((_, hard)) = self.open.last_mut() {
                    *hard += 1;
                    self.links += 1;
                }
            }
            kind if chains(kind) => self.link(),
            _ => {}
        }
        self.open.len() <= BRACKETS + 1 && self.indents <= INDENTS && self.links <= LINKS
    }

    fn link(&mut self) {
        if let Some((soft, _)) = self.open.last_mut() {
            *soft += 1;
            self.links += 1;
        }
    }
}

/// Whether what stands on both sides of it, or behind it, may be one level deeper.
fn chains(kind: TokenKind) -> bool {
    use TokenKind as T;
    matches!(
        kind,
        T::Plus
            | T::Minus
            | T::Star
            | T::Slash
            | T::DoubleSlash
            | T::Percent
            | T::At
            | T::DoubleStar
            | T::Tilde
            | T::Vbar
            | T::Amper
            | T::CircumFlex
            | T::LeftShift
            | T::RightShift
            | T::Dot
            | T::Not
            | T::Await
            | T::If
            | T::Else
            | T::And
            | T::Or
            | T::Yield
            | T::ColonEqual
            | T::Colon
            | T::Equal
            | T::FStringStart
            | T::TStringStart
    )
}
