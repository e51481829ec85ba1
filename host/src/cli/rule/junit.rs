//! The results of `rule test` as JUnit XML, which build servers show.

use std::io;
use std::path::Path;

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

use super::test::{CaseResult, ComponentResult};

/// Writes a file with one test suite per component and one test per case.
pub(super) fn write(path: &Path, results: &[ComponentResult]) -> io::Result<()> {
    let mut xml = Writer::new_with_indent(Vec::new(), b' ', 2);
    xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    xml.create_element("testsuites")
        .write_inner_content(|xml| {
            for result in results {
                write_component(xml, result)?;
            }
            Ok(())
        })?;
    let mut text = xml.into_inner();
    text.push(b'\n');
    std::fs::write(path, text)
}

fn write_component(xml: &mut Writer<Vec<u8>>, result: &ComponentResult) -> io::Result<()> {
    let name = result.component.display().to_string();
    let failures = result.cases.iter().filter(|case| !case.passed).count();
    // A component that can't be used is one test, which ended in an error.
    let errors = usize::from(result.error.is_some());
    xml.create_element("testsuite")
        .with_attribute(("name", clean(&name).as_str()))
        .with_attribute(("tests", (result.cases.len() + errors).to_string().as_str()))
        .with_attribute(("failures", failures.to_string().as_str()))
        .with_attribute(("errors", errors.to_string().as_str()))
        .write_inner_content(|xml| {
            if let Some(error) = &result.error {
                xml.create_element("testcase")
                    .with_attribute(("classname", clean(&name).as_str()))
                    .with_attribute(("name", "the component can be used"))
                    .write_inner_content(|xml| write_problem(xml, "error", error))?;
            }
            for case in &result.cases {
                write_case(xml, &name, case)?;
            }
            Ok(())
        })?;
    Ok(())
}

fn write_case(xml: &mut Writer<Vec<u8>>, component: &str, case: &CaseResult) -> io::Result<()> {
    let test = xml
        .create_element("testcase")
        .with_attribute(("classname", clean(component).as_str()))
        .with_attribute(("name", clean(&case.name).as_str()));
    if case.passed && case.log.is_empty() {
        test.write_empty()?;
        return Ok(());
    }
    test.write_inner_content(|xml| {
        if !case.passed {
            write_problem(xml, "failure", &case.problems.join("\n"))?;
        }
        if !case.log.is_empty() {
            let log = clean(&case.log.join("\n"));
            xml.create_element("system-out")
                .write_text_content(BytesText::new(&log))?;
        }
        Ok(())
    })?;
    Ok(())
}

fn write_problem(xml: &mut Writer<Vec<u8>>, element: &str, problem: &str) -> io::Result<()> {
    let problem = clean(problem);
    let first = problem.lines().next().unwrap_or_default();
    xml.create_element(element)
        .with_attribute(("message", first))
        .write_text_content(BytesText::new(&problem))?;
    Ok(())
}

/// Replaces the control characters that XML can't express.
fn clean(text: &str) -> String {
    let is_allowed = |letter: char| {
        matches!(letter, '\t' | '\n')
            || !letter.is_control() && !matches!(letter, '\u{fffe}' | '\u{ffff}')
    };
    let letters = text.chars();
    letters
        .map(|letter| match is_allowed(letter) {
            true => letter,
            false => char::REPLACEMENT_CHARACTER,
        })
        .collect()
}
