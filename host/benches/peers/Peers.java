// The rule of the bench in languages of the Java world: BeanShell, in which the
// rules of IdentityIQ are written, Groovy, as in midPoint, and Rhino, the JavaScript
// of PingIDM.
//
// Reads from standard input how many rounds and repeats, then a line for each
// person: status, type of employee, first day, last day, today, tab-separated;
// days are counted from 1970, 0 is none. Prints a line for each way of asking:
// name, nanoseconds of CPU (least and median), answers.

import bsh.Interpreter;
import groovy.lang.Binding;
import groovy.lang.GroovyShell;
import groovy.lang.Script;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.mozilla.javascript.Context;
import org.mozilla.javascript.Scriptable;
import org.mozilla.javascript.ScriptableObject;

public class Peers {
    static final String BEANSHELL =
        "String state() {"
        + " if (startDay != 0 && startDay > today) return \"prehire\";"
        + " if (endDay != 0 && endDay < today)"
        + "  return \"contractor\".equals(employeeType) ? \"ended\" : \"inactive\";"
        + " return \"leave\".equals(status) ? \"leave\" : \"active\";"
        + "}";
    static final String BODY =
        "if (startDay != 0 && startDay > today) return \"prehire\";"
        + "if (endDay != 0 && endDay < today)"
        + " return \"contractor\".equals(employeeType) ? \"ended\" : \"inactive\";"
        + "return \"leave\".equals(status) ? \"leave\" : \"active\";";

    static final String JAVASCRIPT =
        "(function () {"
        + " if (startDay !== 0 && startDay > today) return 'prehire';"
        + " if (endDay !== 0 && endDay < today)"
        + "  return employeeType === 'contractor' ? 'ended' : 'inactive';"
        + " return status === 'leave' ? 'leave' : 'active';"
        + "})()";

    record Person(String status, String employeeType, int startDay, int endDay, int today) {}

    interface Rule {
        String state(Person person) throws Exception;
    }

    public static void main(String[] arguments) throws Exception {
        var input = new BufferedReader(new InputStreamReader(System.in));
        int rounds = Integer.parseInt(input.readLine());
        int repeats = Integer.parseInt(input.readLine());
        List<Person> people = new ArrayList<>();
        for (String line; (line = input.readLine()) != null; ) {
            String[] parts = line.split("\t");
            people.add(new Person(parts[0], parts[1], Integer.parseInt(parts[2]),
                Integer.parseInt(parts[3]), Integer.parseInt(parts[4])));
        }
        measure("BeanShell, parsed once", rounds, repeats / 10, people, parsedOnce());
        measure("BeanShell, eval(source)", rounds, Math.max(1, repeats / 100), people, evaluated());
        measure("Groovy, compiled", rounds, repeats, people, groovy());
        measure("JavaScript in Rhino, compiled", rounds, repeats, people, rhino());
    }

    static void give(Interpreter interpreter, Person person) throws Exception {
        interpreter.set("status", person.status());
        interpreter.set("employeeType", person.employeeType());
        interpreter.set("startDay", person.startDay());
        interpreter.set("endDay", person.endDay());
        interpreter.set("today", person.today());
    }

    static Rule parsedOnce() throws Exception {
        var interpreter = new Interpreter();
        interpreter.eval(BEANSHELL);
        var space = interpreter.getNameSpace();
        return person -> {
            give(interpreter, person);
            return (String) space.invokeMethod("state", new Object[0], interpreter);
        };
    }

    static Rule evaluated() {
        var interpreter = new Interpreter();
        return person -> {
            give(interpreter, person);
            return (String) interpreter.eval(BODY);
        };
    }

    static Rule groovy() {
        Script script = new GroovyShell().parse(BODY);
        return person -> {
            var binding = new Binding();
            binding.setVariable("status", person.status());
            binding.setVariable("employeeType", person.employeeType());
            binding.setVariable("startDay", person.startDay());
            binding.setVariable("endDay", person.endDay());
            binding.setVariable("today", person.today());
            script.setBinding(binding);
            return (String) script.run();
        };
    }

    static Rule rhino() {
        // Never left: everything is done on this thread.
        Context context = Context.enter();
        context.setOptimizationLevel(9);
        Scriptable scope = context.initStandardObjects();
        var script = context.compileString(JAVASCRIPT, "rule", 1, null);
        return person -> {
            ScriptableObject.putProperty(scope, "status", person.status());
            ScriptableObject.putProperty(scope, "employeeType", person.employeeType());
            ScriptableObject.putProperty(scope, "startDay", person.startDay());
            ScriptableObject.putProperty(scope, "endDay", person.endDay());
            ScriptableObject.putProperty(scope, "today", person.today());
            return Context.toString(script.exec(context, scope));
        };
    }

    static void measure(String name, int rounds, int repeats, List<Person> people, Rule rule)
            throws Exception {
        ThreadMXBean clock = ManagementFactory.getThreadMXBean();
        List<String> answers = new ArrayList<>();
        for (Person person : people) {
            answers.add(rule.state(person));
        }
        double[] each = new double[rounds];
        int characters = 0;
        for (int round = 0; round < rounds; round++) {
            long began = clock.getCurrentThreadCpuTime();
            for (int repeat = 0; repeat < repeats; repeat++) {
                for (Person person : people) {
                    characters += rule.state(person).length();
                }
            }
            long spent = clock.getCurrentThreadCpuTime() - began;
            each[round] = (double) spent / ((double) repeats * people.size());
        }
        Arrays.sort(each);
        if (characters == 0) {
            throw new IllegalStateException("nothing was answered");
        }
        System.out.printf("%s\t%f\t%f\t%s%n", name, each[0], each[rounds / 2],
            String.join(",", answers));
    }
}
