//! The program: everything it does is in the library.

fn main() -> std::process::ExitCode {
    ml_intern::clients::http::install_tls();
    ml_intern::tools::hide_own_environment();
    ml_intern::cli::main().into()
}
