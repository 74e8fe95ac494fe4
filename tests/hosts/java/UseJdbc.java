import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Properties;
import java.util.Timer;
import java.util.TimerTask;

/** sqlite-jdbc, the driver of DBeaver and DataGrip: SELECT load_extension() is the only way in. */
public class UseJdbc {
    static Connection open() throws SQLException {
        Properties properties = new Properties();
        properties.setProperty("enable_load_extension", "true");
        return DriverManager.getConnection("jdbc:sqlite::memory:", properties);
    }

    static void step(String name) {
        System.out.println("= " + name);
    }

    static void print(Statement statement, String sql) throws SQLException {
        try (ResultSet rows = statement.executeQuery(sql)) {
            int columns = rows.getMetaData().getColumnCount();
            while (rows.next()) {
                StringBuilder line = new StringBuilder();
                for (int i = 1; i <= columns; i++) {
                    line.append(i > 1 ? "\t" : "").append(rows.getObject(i));
                }
                System.out.println(line);
            }
        }
    }

    static void run(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    public static void main(String[] arguments) throws Exception {
        String load = "SELECT load_extension('" + arguments[0] + "')";
        String query = arguments[2];
        String check = arguments[3];

        try (Connection connection = open(); Statement statement = connection.createStatement()) {
            step("sqlite");
            print(statement, "SELECT sqlite_version()");
            run(connection, load);
            step("rows");
            print(statement, query);
            run(connection, load);
            step("again");
            print(statement, check);

            run(connection, "SELECT mlflow_connect('" + arguments[1] + "')");
            Timer timer = new Timer(true);
            timer.schedule(new TimerTask() {
                @Override
                public void run() {
                    try {
                        statement.cancel();
                    } catch (SQLException error) {
                        System.out.println(error.getMessage());
                    }
                }
            }, 1000);
            try {
                print(statement, "SELECT count(*) FROM mlflow_traces");
            } catch (SQLException error) {
                step("interrupted");
                System.out.println(error.getMessage());
            }
            step("after");
            print(statement, check);
        }

        try (Connection connection = open(); Statement statement = connection.createStatement();
             ResultSet half = statement.executeQuery("SELECT 1 UNION ALL SELECT 2")) {
            half.next();
            run(connection, load);
            try (Statement other = connection.createStatement()) {
                step("open");
                print(other, check);
            }
        }
        step("closed");
    }
}
